"""Rows of a table's files, streamed and compared by Arrow and DuckDB; what is committed when is said in `lake.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.dataset as ds

from labelloop.errors import Conflict
from labelloop.sql import session

STREAMED: Final = 65_536  # rows held at a time when a table is streamed


def scanned(
    present: ds.Dataset, schema: pa.Schema, *, rows: int = STREAMED, where: ds.Expression | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield rows of a table in batches, in the schema that was asked for."""
    # Arrow would read four files ahead, which for ten million rows is a gigabyte.
    ahead = {"batch_readahead": 2, "fragment_readahead": 1}
    found = present.to_batches(columns=schema.names, filter=where, batch_size=rows, **ahead)
    return (batch.cast(schema) for batch in found)


def fenced(
    first: pa.RecordBatch, others: Iterator[pa.RecordBatch], fence: Callable[[], None]
) -> Iterator[pa.RecordBatch]:
    """Yield the batches; the commit follows the last one, so the fence is asked after it too."""
    fence()
    yield first
    yield from others
    fence()


def only(present: ds.Dataset, names: Collection[str]) -> ds.Dataset:
    """Return some files of a table.

    Raises:
        Conflict: a file is not there any more.
    """
    parts = [part for part in present.get_fragments() if part.path in names]
    if len(parts) < len(set(names)):
        raise Conflict("a table was changed while it was read", remedy="run the stage again")
    return ds.FileSystemDataset(parts, present.schema, present.format, present.filesystem)


def text_of(column: str) -> ds.Expression:
    """Return a column of text for use in a filter."""
    # The cast keeps Arrow from weighing values against a file's statistics, which it cannot where delta-rs wrote
    # views of text (pyarrow 26: no greater_equal of string and string_view). Keys are random: none is skipped.
    return ds.field(column).cast(pa.string())


def is_in(rows: pa.Table, column: str) -> ds.Expression:
    """Return what is true of rows that share a value of the column, a text, with one of these."""
    return text_of(column).isin(rows[column].combine_chunks())


def changed_rows(rows: pa.Table, present: ds.Dataset, keys: Sequence[str]) -> pa.Table:
    """Return the rows that are not already there, value for value.

    Args:
        rows: some, in the contract's schema.
        present: the table; streamed past the keys that are looked for.
        keys: columns of the primary key.
    """
    join = " AND ".join(f'p."{key}" = r."{key}"' for key in keys)
    same = " AND ".join(f'p."{n}" IS NOT DISTINCT FROM r."{n}"' for n in rows.column_names)
    with session() as db:
        rivals = pa.Table.from_batches(scanned(present, rows.schema, where=is_in(rows, keys[0])), rows.schema)
        db.register("incoming", rows)
        db.register("rivals", rivals)
        query = f"SELECT * FROM incoming r WHERE NOT EXISTS (SELECT 1 FROM rivals p WHERE {join} AND {same})"  # noqa: S608 - column names of a contract
        return db.sql(query).to_arrow_table().cast(rows.schema)
