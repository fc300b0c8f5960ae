"""A bucket of many small objects on a local S3 server of its own, made in a minute instead of a quarter of an hour.

One object is written through S3; the server's own backup tool then loads its metadata under as many other keys.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployments.local.stack import Stack
from tasks.clients.s3 import connect
from tasks.clients.settings import Settings
from tests.builders.seaweedfs_shell import Shell
from tests.builders.settings import make_settings

BUCKET = "many"
PER_FOLDER = 5_000
_S3 = ("s3_endpoint", "s3_access_key", "s3_secret_key")
_FOLDER, _NAME = b"f000", b"0000000.png"  # names of equal length, so that the copies are too


@contextmanager
def many_objects(count: int, folder: Path) -> Iterator[Settings]:
    """Start a server below the folder, fill its bucket with `count` objects in folders, and end it afterwards."""
    stack = Stack(folder / "stack")
    try:
        stack.up({"s3"})
        settings = make_settings(**{name: stack.variables[f"LABELLOOP_{name.upper()}"] for name in _S3})
        client = connect(settings)
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key=f"{_FOLDER.decode()}/{_NAME.decode()}", Body=b"x")
        shell = Shell(folder / "stack")
        _copies(shell, folder, count)
        shell.run(f"fs.meta.load -v=false -concurrency=8 {folder / 'copies.meta'}", seconds=1200)
        yield settings
    finally:
        stack.down()


def _copies(shell: Shell, folder: Path, count: int) -> None:
    """Write the metadata of `count` objects: that of the one, under other names."""
    shell.run(f"fs.meta.save -o {folder / 'one.meta'} /buckets/{BUCKET}/{_FOLDER.decode()}", seconds=60)
    one = next(record for record in _records((folder / "one.meta").read_bytes()) if _NAME in record)
    with (folder / "copies.meta").open("wb") as file:
        for number in range(count):
            place, name = b"f%03d" % (number // PER_FOLDER), b"%07d.png" % number
            copy = one.replace(b"/" + _FOLDER, b"/" + place).replace(_NAME, name)
            file.write(struct.pack(">I", len(copy)) + copy)


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a metadata file: each is a length of four bytes and a message."""
    start = 0
    while start < len(data):
        (size,) = struct.unpack_from(">I", data, start)
        yield data[start + 4 : start + 4 + size]
        start += 4 + size
