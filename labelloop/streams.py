"""Streams of Arrow batches, handed to engines that read them in their own time and tell errors in their own words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa

from labelloop.errors import LabelloopError


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


def _noting(batches: Iterable[pa.RecordBatch], failures: list[LabelloopError]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except LabelloopError as error:
        failures.append(error)
        raise
