"""Opening bytes: a raw scan misses what is compressed or escaped, so every packing is taken off, layer by layer."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote_to_bytes

import pyarrow as pa
import pyarrow.parquet as pq

from tests.scanner import sqlite

_DEPTH = 4
_LARGEST = 1 << 28  # bytes taken out of one carved stream
_ESCAPE = re.compile(rb"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{12,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_GZIP, _PARQUET, _ZIP = b"\x1f\x8b\x08", b"PAR1", b"PK\x03\x04"


def words_in(data: bytes, words: Iterable[str]) -> set[str]:
    """Return which of the words the bytes hold, in any packing."""
    return _search(data, set(words), _DEPTH, set())


def _search(data: bytes, wanted: set[str], depth: int, seen: set[bytes]) -> set[str]:
    """Look into the bytes and what is packed in them; `seen` keeps equal bytes from being opened twice."""
    digest = hashlib.blake2b(data, digest_size=16).digest()
    if digest in seen or not wanted:
        return set()
    seen.add(digest)
    found = raw_words_in(data, wanted)
    for inner in _opened(data) if depth else ():
        found |= _search(inner, wanted - found, depth - 1, seen)
    return found


def raw_words_in(data: bytes, words: Iterable[str]) -> set[str]:
    """Return which of the words the bytes hold as they are: the control, which a compressed word escapes."""
    return {word for word in words if word.encode() in data}


def _opened(data: bytes) -> Iterator[bytes]:
    """Yield what is inside the bytes; what cannot be opened as it begins is searched for what it may hold."""
    if data[:4] == _PARQUET and data[-4:] == _PARQUET:
        yield from _parquet(data)
    elif data[:4] == _ZIP and zipfile.is_zipfile(io.BytesIO(data)):
        archive = zipfile.ZipFile(io.BytesIO(data))
        yield from (archive.read(name) for name in archive.namelist())
    elif data[: len(sqlite.HEADER)] == sqlite.HEADER:
        yield from sqlite.rows_of_bytes(data)
        yield sqlite.unlinked_pages(data)
    elif data[:4] in sqlite.LOG_MAGIC:
        yield sqlite.unframed_log(data)
    else:
        yield from _carved(data)
        yield from _text(data)


def _parquet(data: bytes) -> Iterator[bytes]:
    """Values, dictionaries (which may hold values no row has any more), statistics, schema and file metadata."""
    source = pa.BufferReader(data)
    names = [field.name for field in pq.read_schema(source) if pa.types.is_string(field.type)]
    file = pq.ParquetFile(pa.BufferReader(data), read_dictionary=names)
    table = file.read()
    yield _leaves(table.to_pylist())
    dictionaries = [c.dictionary for n in names for c in table[n].chunks if pa.types.is_dictionary(c.type)]
    yield _leaves([each.to_pylist() for each in dictionaries])
    for group in range(file.num_row_groups):
        columns = range(file.metadata.num_columns)
        yield repr([file.metadata.row_group(group).column(n).statistics for n in columns]).encode()
    yield _leaves([file.metadata.metadata, file.schema_arrow.names])


def _carved(data: bytes) -> Iterator[bytes]:
    """Gzip streams and Parquet files that lie somewhere within, as in the volumes of an object store."""
    for start in (found.start() for found in re.finditer(re.escape(_GZIP), data)):
        with suppress(zlib.error):
            yield zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data[start:], _LARGEST)
    marks = [found.start() for found in re.finditer(_PARQUET, data)]
    for start, end in itertools.pairwise(marks):
        with suppress(pa.ArrowException, OSError):
            yield from _parquet(data[start : end + len(_PARQUET)])


def _text(data: bytes) -> Iterator[bytes]:
    lines = (line.strip() for line in data.splitlines())
    yield b"\n".join(_json(line) for line in [data.strip(), *lines] if line[:1] in (b"{", b"[", b'"'))
    if b"\\u" in data or b"\\x" in data:
        yield _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)).encode("utf-8", "ignore"), data)
    if b"%" in data:
        yield unquote_to_bytes(data)
    if b"&" in data:
        yield html.unescape(data.decode("utf-8", "replace")).encode()
    yield _base64(data)


def _json(text: bytes) -> bytes:
    with suppress(ValueError):
        return _leaves(json.loads(text))
    return b""


def _base64(data: bytes) -> bytes:
    """Every run of base64 letters, decoded from each of its first four: a path before it shifts the groups."""
    tokens = {found.translate(_STANDARD) for found in _BASE64.findall(data)}
    shifted = (token[start:] for token in tokens for start in range(4))
    return b"\n".join(base64.b64decode(each[: len(each) - len(each) % 4] + _rest(each)) for each in shifted)


def _rest(token: bytes) -> bytes:
    rest = token[len(token) - len(token) % 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _leaves(value: Any) -> bytes:
    """Return all texts and bytes of nested values, names too, one a line."""
    return b"\n".join(_walked(value))


def _walked(value: Any) -> Iterator[bytes]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _walked(name)
            yield from _walked(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walked(inner)
    elif value is not None:
        yield value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")
