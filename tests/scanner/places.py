"""Walking places: every version, marker, upload and name in a bucket; every file of a folder, databases by rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.scanner import sqlite
from tests.scanner.packing import words_in

Look = Callable[[bytes, Iterable[str]], set[str]]


def scan_bucket(client: Any, bucket: str, words: Iterable[str], *, look: Look = words_in) -> Counter[str]:
    """Return for each word how many versions, delete markers and unfinished uploads of the bucket hold it.

    Args:
        client: boto3, with the right to read versions.
        bucket: where to look.
        words: what to look for; names, contents, metadata and tags of objects are looked through.
        look: `raw_words_in` for the control that opens nothing.
    """
    words, hits = list(words), Counter[str]()
    for parts in _objects(client, bucket):
        hits.update(set().union(*(look(part, words) for part in parts)))
    return hits


def scan_folder(folder: Path, words: Iterable[str], *, look: Look = words_in, but: str = "") -> Counter[str]:
    """Return for each word how many files of the folder hold it, in their names, rows or bytes.

    Args:
        folder: walked to the end.
        words: what to look for.
        look: `raw_words_in` for the control that opens nothing.
        but: a folder directly below that is left out.
    """
    words, hits = list(words), Counter[str]()
    for file in sorted(folder.rglob("*")):
        if file.is_file() and file.relative_to(folder).parts[0] != but:
            hits.update(set().union(*(look(part, words) for part in _parts(file))))
    return hits


def _objects(client: Any, bucket: str) -> Iterator[Iterator[bytes]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        yield from (iter([marker["Key"].encode()]) for marker in page.get("DeleteMarkers", []))
        yield from (_version(client, bucket, item["Key"], item["VersionId"]) for item in page.get("Versions", []))
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        yield from (iter([upload["Key"].encode()]) for upload in page.get("Uploads", []))


def _version(client: Any, bucket: str, key: str, version: str) -> Iterator[bytes]:
    yield key.encode()
    answer = client.get_object(Bucket=bucket, Key=key, VersionId=version)
    yield answer["Body"].read()
    yield json.dumps(answer["Metadata"]).encode()
    if answer.get("TagCount"):
        tags = client.get_object_tagging(Bucket=bucket, Key=key, VersionId=version)["TagSet"]
        yield json.dumps(tags).encode()


def _parts(file: Path) -> Iterator[bytes]:
    yield file.name.encode()
    with suppress(FileNotFoundError):  # a server may take its own file away meanwhile
        data = file.read_bytes()
        yield data
        if data[: len(sqlite.HEADER)] == sqlite.HEADER:
            yield from sqlite.rows(file)
