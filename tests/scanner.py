"""Finding words in everything that lies somewhere, whatever it is packed in; shares no code with the eraser.

A raw byte scan misses what is compressed, so Parquet, gzip, zip, JSON escapes, base64 and percent forms are opened.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pyarrow.parquet as pq

_DEPTH = 4
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}={0,2}")


def words_in(data: bytes, words: Iterable[str], depth: int = _DEPTH) -> set[str]:
    """Return which of the words the bytes hold, in any packing."""
    wanted = set(words)
    found = {word for word in wanted if word.encode() in data}
    if depth == 0 or found == wanted:
        return found
    for inner in _opened(data):
        found |= words_in(inner, wanted - found, depth - 1)
    return found


def scan_bucket(client, bucket: str, words: Iterable[str]) -> Counter[str]:
    """Return for each word in how many object versions, delete markers or keys of the bucket it was found."""
    words, hits = list(words), Counter()
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for marker in page.get("DeleteMarkers", []):
            hits.update(words_in(marker["Key"].encode(), words))
        for item in page.get("Versions", []):
            body = client.get_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])["Body"].read()
            hits.update(words_in(item["Key"].encode(), words) | words_in(body, words))
    return hits


def scan_folder(folder: Path, words: Iterable[str]) -> Counter[str]:
    """Return for each word in how many files of the folder it was found; database files are read as bytes."""
    words, hits = list(words), Counter()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            hits.update(words_in(file.read_bytes(), words))
    return hits


def _opened(data: bytes) -> Iterator[bytes]:
    if data[:4] == b"PAR1":
        yield from _parquet(data)
    elif data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data)
    elif data[:4] == b"PK\x03\x04":
        archive = zipfile.ZipFile(io.BytesIO(data))
        yield from (archive.read(name) for name in archive.namelist())
    else:
        yield from _text(data)


def _parquet(data: bytes) -> Iterator[bytes]:
    file = pq.ParquetFile(io.BytesIO(data))
    for group in range(file.num_row_groups):
        for column in range(file.metadata.num_columns):
            yield repr(file.metadata.row_group(group).column(column).statistics).encode()
    yield json.dumps(file.read().to_pylist(), default=str, ensure_ascii=False).encode()
    yield repr(file.metadata.metadata).encode()


def _text(data: bytes) -> Iterator[bytes]:
    if data[:1] in (b"{", b"["):
        for line in [data, *data.splitlines()]:
            try:
                yield json.dumps(json.loads(line), ensure_ascii=False).encode()
            except ValueError:
                continue
    if b"\\u" in data or b"\\x" in data:
        yield _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)).encode("utf-8", "ignore"), data)
    if b"%" in data:
        yield unquote_to_bytes(data)
    for token in set(_BASE64.findall(data)):
        try:
            yield base64.b64decode(token.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(token) % 4))
        except binascii.Error:
            continue
