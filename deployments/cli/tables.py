"""The tables that verbs take from files: ratings and pools, with columns that can be used or a named error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from deployments.cli.table_file import is_parquet, read_columns
from labelloop.errors import InputError

_RATING_COLUMNS = ("unit", "annotator", "value")
_POOL_COLUMNS = ("probabilities", "embedding", "stratum", "group")
_NAMES = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string)
_VALUES = (
    *_NAMES,
    pa.types.is_boolean,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


def read_ratings_file(path: Path, control: str | None = None) -> pa.Table:
    """Return the columns unit, annotator and value of a CSV or Parquet file.

    In CSV, unit and annotator are text as written, the value's type is found (number, boolean, date, text), and only
    an empty field is a missing value: `NA` may be a label.

    Args:
        path: the file.
        control: with a column `control`, only the ratings of this one.

    Raises:
        InputError: no such file, neither CSV nor Parquet, a column missing or of no use, no rows, an unknown
            control, or several controls and none chosen.
    """
    ratings = read_columns(path, _RATING_COLUMNS, ("control",), text=("unit", "annotator", "control"))
    for name in ("unit", "annotator"):
        _refuse_type(path, ratings, name, _NAMES, "text or whole numbers")
    _refuse_type(path, ratings, "value", _VALUES, "one text, number, boolean or date in each row")
    if "control" in ratings.column_names:
        _refuse_type(path, ratings, "control", (*_NAMES, pa.types.is_null), "text")
    return _of_control(ratings, control).select(list(_RATING_COLUMNS))


def read_pool_file(path: Path) -> pa.Table:
    """Return `ref_id` of a Parquet file, and what it has of probabilities, embedding, stratum and group.

    Raises:
        InputError: no such file, no Parquet, a column missing or of no use, or no rows.
    """
    if not is_parquet(path):
        raise InputError(f"{path} is no Parquet file", remedy="write the pool as Parquet")
    pool = read_columns(path, ("ref_id",), _POOL_COLUMNS)
    _refuse_type(path, pool, "ref_id", _NAMES, "text or whole numbers")
    for name in {"probabilities", "embedding"} & set(pool.column_names):
        _refuse_type(path, pool, name, (_is_list_of_numbers, pa.types.is_null), "a list of numbers in each row")
    if "stratum" in pool.column_names:
        _refuse_type(path, pool, "stratum", (*_NAMES, pa.types.is_null), "text")
    return pool


def _refuse_type(
    path: Path, table: pa.Table, name: str, allowed: Sequence[Callable[[pa.DataType], bool]], wanted: str
) -> None:
    kind = table.schema.field(name).type
    if not any(fits(kind) for fits in allowed):
        raise InputError(f"{path}: column {name} holds {kind}", remedy=f"give {wanted}")


def _is_list_of_numbers(kind: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(fits(kind) for fits in lists) and bool(
        pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)
    )


def _of_control(ratings: pa.Table, control: str | None) -> pa.Table:
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
