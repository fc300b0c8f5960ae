"""SQL over Arrow tables: one DuckDB instance in memory per process, a session of its own for each caller.

What may be larger than memory gets a workspace instead: an instance of its own that overflows into a folder.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

import duckdb
import pyarrow as pa

from labelloop.streams import reader_of


def session() -> duckdb.DuckDBPyConnection:
    """Return a session to be used in a `with` block; what is registered in it is seen by no other, in any thread.

    Making an instance costs some thirty milliseconds, a session of one three.

    >>> with session() as db:
    ...     db.sql("SELECT 1 + 1").fetchall()
    [(2,)]
    """
    return _instance().cursor()


@contextmanager
def workspace(folder: str, memory_mib: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an instance of its own that holds at most so much memory and puts what is beyond it into the folder.

    >>> with workspace("", 100) as db:
    ...     db.sql("SELECT 1 + 1").fetchall()
    [(2,)]
    """
    settings = {"memory_limit": f"{memory_mib}MiB", "temp_directory": folder, "preserve_insertion_order": False}
    with duckdb.connect(config=settings) as db:
        yield db


@contextmanager
def streamed(
    db: duckdb.DuckDBPyConnection, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[None]:
    """Let the block query the batches once, as the relation `name`; they are never held together."""
    with reader_of(schema, batches) as reader:
        db.register(name, reader)
        try:
            yield
        finally:
            db.unregister(name)


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    instance = duckdb.connect()
    # Still alive when the interpreter ends, it would be told as a leak on standard error, a hundred lines long.
    atexit.register(_instance.cache_clear)
    return instance
