"""Rows of `annotations`, made column by column from what annotations share and what their answers say.

Where either comes from is decided in `conversion.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.contracts import contract
from labelloop.interface import COLUMNS

ROWS: Final = contract("annotations").schema
# What an answer says by itself, and what all answers of one annotation share.
SAID: Final = pa.schema([ROWS.field(name) for name in ("control", "control_type", *COLUMNS, "raw")])
SHARED: Final = pa.schema([field for field in ROWS if field.name not in SAID.names])


def answer_rows(annotations: pa.Table, places: Sequence[int] | NDArray[np.int64], said: pa.Table) -> pa.Table:
    """Return one row for each answer, in their order.

    Args:
        annotations: in the columns of `SHARED`, and maybe more.
        places: for each answer, the number of its annotation among them.
        said: as many answers, in the columns of `SAID`.
    """
    shared = annotations.select(SHARED.names).take(pa.array(places, pa.int64()))
    return _rows({**_columns(said), **_columns(shared)})


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
