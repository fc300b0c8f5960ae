"""Rows of `annotations`, made column by column from what annotations share and what each of their answers says.

Where either comes from is decided in `conversion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.interface import COLUMNS, Answer
from labelloop.nested_columns import nested_column

ROWS: Final = contract("annotations").schema
_SAID: Final = ("control", "control_type", *COLUMNS, "raw")
# What all answers of one annotation share.
SHARED: Final = pa.schema([field for field in ROWS if field.name not in _SAID])


def answer_rows(annotations: pa.Table, places: Sequence[int], answers: Sequence[Answer]) -> pa.Table:
    """Return one row for each answer, in their order.

    Args:
        annotations: in the columns of `SHARED`, and maybe more.
        places: for each answer, the number of its annotation among them.
        answers: as many.
    """
    if not answers:
        return ROWS.empty_table()
    control, control_type, column, value, raw = zip(*answers, strict=True)
    filled = dict.fromkeys(column)
    said: dict[str, Sequence[Any]] = {"control": control, "control_type": control_type, "raw": raw}
    for name in filled:
        said[name] = [one if its == name else None for its, one in zip(column, value, strict=True)]
    typed = {name: nested_column(given, ROWS.field(name).type) for name, given in said.items()}
    empty = {name: pa.nulls(len(answers), ROWS.field(name).type) for name in COLUMNS if name not in filled}
    shared = annotations.select(SHARED.names).take(pa.array(places, pa.int64()))
    return _rows({**typed, **empty, **_columns(shared)})


def cancelled_rows(annotations: pa.Table, control: str, control_type: str) -> pa.Table:
    """Return one row for each annotation: that it gave this control no answer.

    >>> cancelled_rows(SHARED.empty_table(), "digit", "choices").num_rows
    0
    """
    said = dict.fromkeys(COLUMNS) | {"control": control, "control_type": control_type, "raw": "[]"}
    count = annotations.num_rows
    same = {name: pa.repeat(pa.scalar(one, ROWS.field(name).type), count) for name, one in said.items()}
    return _rows({**same, **_columns(annotations)})


def _columns(table: pa.Table) -> dict[str, pa.ChunkedArray]:
    return dict(zip(table.column_names, table.columns, strict=True))


def _rows(columns: dict[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    return pa.table([columns[name] for name in ROWS.names], schema=ROWS)
