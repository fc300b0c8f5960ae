"""Streams of Arrow batches, handed to engines that read them in their own time and tell errors in their own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

import pyarrow as pa

from labelloop.errors import LabelloopError

T = TypeVar("T")


@contextmanager
def reader_of(schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatchReader]:
    """Give the block a reader of the batches, which can be read once.

    An error of whoever makes the batches comes out of the block as itself, whatever the engine made of it.

    >>> schema = pa.schema([("n", pa.int64())])
    >>> with reader_of(schema, [pa.record_batch({"n": [1, 2]})]) as reader:
    ...     reader.read_all().num_rows
    2
    """
    failures: list[LabelloopError] = []
    try:
        yield pa.RecordBatchReader.from_batches(schema, _noting(batches, failures))
    finally:
        if failures:
            raise failures[0] from None


def drawn_apart(made: Iterable[T]) -> Iterator[T]:
    """Yield what is made, one after the other, each made in one and the same thread of its own.

    An engine may draw from a thread in which whoever makes it could not ask that engine for anything else.

    >>> list(drawn_apart(n * n for n in range(3)))
    [0, 1, 4]
    """
    left = iter(made)
    with ThreadPoolExecutor(1) as pool:
        while found := pool.submit(lambda: [*islice(left, 1)]).result():
            yield found[0]


def _noting(batches: Iterable[pa.RecordBatch], failures: list[LabelloopError]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except LabelloopError as error:
        failures.append(error)
        raise
