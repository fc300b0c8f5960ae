"""How Arrow gets at the files of Delta tables: by its own clients, without a way back into Python.

The file system that deltalake makes calls Python from Arrow's threads. One that still lets go of a buffer while the
interpreter ends takes the whole process with it: a run that was good would end with exit code 134.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow import fs


def table_files(uri: str, options: Mapping[str, str]) -> fs.FileSystem:
    """Return the folder of a table as a file system of its own.

    Args:
        uri: s3:// address, or a local folder.
        options: what `storage_options` gives; empty for a local folder.
    """
    if not uri.startswith("s3://"):
        return fs.SubTreeFileSystem(str(Path(uri).resolve()), fs.LocalFileSystem())
    names = ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    return fs.SubTreeFileSystem(uri.removeprefix("s3://"), _s3(*map(options.get, names)))


@cache
def _s3(endpoint: str | None, region: str | None, access_key: str | None, secret_key: str | None) -> fs.S3FileSystem:
    server = urlsplit(endpoint or "https://")
    return fs.S3FileSystem(
        access_key=access_key,
        secret_key=secret_key,
        region=region,
        scheme=server.scheme,
        endpoint_override=server.netloc or None,
    )
