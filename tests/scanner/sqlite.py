"""SQLite: every row as it can be asked for, and every byte a deletion leaves in free pages and write-ahead logs."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

HEADER = b"SQLite format 3\0"
LOG_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_LOG_HEADER, _FRAME_HEADER, _POINTER = 32, 24, 4


def rows(path: Path) -> Iterator[bytes]:
    """Yield each table of a database, perhaps in use, as its values, one a line; its log is taken into account."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
        database.text_factory = bytes
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            with suppress(sqlite3.OperationalError):  # virtual tables of extensions; their shadows are tables too
                found = database.execute(f'SELECT * FROM "{table.decode()}"')  # noqa: S608
                yield b"\n".join(value for row in found for value in row if isinstance(value, bytes))


def rows_of_bytes(data: bytes) -> Iterator[bytes]:
    """Yield the tables of a database that lies inside something else."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "copy.sqlite3"
        # A copy without its log cannot be opened in log mode: bytes 18 and 19 say which mode, 1 is without.
        path.write_bytes(data[:18] + b"\x01\x01" + data[20:])
        with suppress(sqlite3.DatabaseError):
            yield from rows(path)


def unlinked_pages(data: bytes) -> bytes:
    """Return the pages without the pointer each overflow page begins with, so that what spans pages is whole."""
    size = int.from_bytes(data[16:18], "big")
    size = 1 << 16 if size == 1 else size
    return b"".join(data[start + _POINTER : start + size] for start in range(0, len(data), size))


def unframed_log(data: bytes) -> bytes:
    """Return the pages of a write-ahead log, pointers taken off like `unlinked_pages`."""
    size = int.from_bytes(data[8:12], "big")
    starts = range(_LOG_HEADER + _FRAME_HEADER, len(data), _FRAME_HEADER + max(size, 1))
    return b"".join(data[start + _POINTER : start + size] for start in starts)
