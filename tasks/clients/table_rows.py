"""Rows of a table's files, streamed and compared by Arrow and DuckDB; what is committed when is said in `lake.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.dataset as ds

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


def is_in(rows: pa.Table, column: str) -> ds.Expression:
    """Return what is true of rows that share a value of the column with one of these."""
    # The cast keeps Arrow from weighing keys against a file's statistics, which it cannot where delta-rs wrote views
    # of text (pyarrow 26: no greater_equal of string and string_view). Keys are random: they would skip nothing.
    return ds.field(column).cast(rows.schema.field(column).type).isin(rows[column].combine_chunks())


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
