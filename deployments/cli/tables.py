"""Ratings that verbs take from files, with columns that can be used or a named error.

Pools are read in `pool_file.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from deployments.cli.table_file import read_columns
from labelloop.errors import InputError

_RATING_COLUMNS = ("unit", "annotator", "value")
NAMES = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
_SIDES = ("left", "right")
_VALUES = (
    *NAMES,
    pa.types.is_boolean,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


def read_ratings_file(path: Path, control: str | None = None) -> pa.Table:
    """Return the columns unit, annotator, value and, where there are both, left and right of a CSV or Parquet file.

    In CSV, unit and annotator are text as written, the value's type is found (number, boolean, date, text), and only
    an empty field is a missing value: `NA` may be a label.

    Args:
        path: the file.
        control: with a column `control`, only the ratings of this one.

    Raises:
        InputError: no such file, neither CSV nor Parquet, a column missing or of no use, no rows, an unknown
            control, or several controls and none chosen.
    """
    text = ("unit", "annotator", "control", *_SIDES)
    ratings = read_columns(path, _RATING_COLUMNS, ("control", *_SIDES), text=text)
    sides = _SIDES if set(_SIDES) <= set(ratings.column_names) else ()
    for name in ("unit", "annotator", *sides):
        refuse_type(path, ratings, name, NAMES, "text or whole numbers")
    refuse_type(path, ratings, "value", _VALUES, "one text, number, boolean or date in each row")
    if "control" in ratings.column_names:
        refuse_type(path, ratings, "control", (*NAMES, pa.types.is_null), "text")
    return of_control(ratings, control).select([*_RATING_COLUMNS, *sides])


def read_rulings_file(path: Path) -> pa.Table:
    """Return the columns unit, value and, where there are both, left and right of a CSV or Parquet file of rulings.

    Raises:
        InputError: as for `read_ratings_file`.
    """
    rulings = read_columns(path, ("unit", "value"), _SIDES, text=("unit", *_SIDES))
    refuse_type(path, rulings, "unit", NAMES, "text or whole numbers")
    refuse_type(path, rulings, "value", _VALUES, "one text, number, boolean or date in each row")
    return rulings


def refuse_type(
    path: Path, table: pa.Table, name: str, allowed: Sequence[Callable[[pa.DataType], bool]], wanted: str
) -> None:
    """Refuse a column whose type is none of those allowed.

    Raises:
        InputError: it is; the message names file, column, type and what is wanted.
    """
    kind = table.schema.field(name).type
    if not any(fits(kind) for fits in allowed):
        raise InputError(f"{path}: column {name} holds {kind}", remedy=f"give {wanted}")


def of_control(ratings: pa.Table, control: str | None) -> pa.Table:
    """Return the rows of this control.

    Raises:
        InputError: the control is unknown, or there are several and none is chosen.
    """
    if "control" not in ratings.column_names:
        if control is not None:
            raise InputError("the ratings have no column control", remedy="leave --control out or add the column")
        return ratings
    names = ratings["control"].cast(pa.string()).fill_null("")
    known = sorted(pc.unique(names).to_pylist())
    if control is None and len(known) > 1:
        raise InputError(
            f"the ratings are of {len(known)} controls", remedy=f"choose by --control: {', '.join(known)}"
        )
    if control is not None and control not in known:
        raise InputError(f"there is no rating of control {control!r}", remedy=f"choose of {', '.join(known)}")
    return ratings if control is None else ratings.filter(pc.equal(names, control))
