"""The files that verbs read and write: ratings and pools in, Parquet out, nothing half written.

Whatever is wrong with a file becomes one named error. Values never appear in messages, since they may be identifiers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from labelloop.errors import InputError

_RATING_COLUMNS = ("unit", "annotator", "value")
_POOL_COLUMNS = ("probabilities", "embedding", "stratum", "group")
_PARQUET_MAGIC = b"PAR1"


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
    ratings = _read(path, _RATING_COLUMNS, ("control",), text=("unit", "annotator", "control"))
    for name in ("unit", "annotator"):
        _refuse_type(path, ratings, name, (pa.types.is_integer, _is_text), "text or whole numbers")
    return _of_control(ratings, control).select(list(_RATING_COLUMNS))


def read_pool_file(path: Path) -> pa.Table:
    """Return `ref_id` of a Parquet file, and what it has of probabilities, embedding, stratum and group.

    Raises:
        InputError: no such file, no Parquet, a column missing or of no use, or no rows.
    """
    if not _is_parquet(path):
        raise InputError(f"{path} is no Parquet file", remedy="write the pool as Parquet")
    pool = _read(path, ("ref_id",), _POOL_COLUMNS)
    _refuse_type(path, pool, "ref_id", (pa.types.is_integer, _is_text), "text or whole numbers")
    for name in {"probabilities", "embedding"} & set(pool.column_names):
        _refuse_type(path, pool, name, (_is_list_of_numbers, pa.types.is_null), "a list of numbers in each row")
    if "stratum" in pool.column_names:
        _refuse_type(path, pool, "stratum", (pa.types.is_integer, _is_text, pa.types.is_null), "text")
    return pool


def write_parquet(table: pa.Table, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table with metadata beside its schema; the file appears whole or not at all.

    Raises:
        InputError: the name does not end in .parquet, or the file cannot be written there.
    """
    if path.suffix != ".parquet":
        raise InputError(f"{path} does not end in .parquet", remedy="name a Parquet file")
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        pq.write_table(table.replace_schema_metadata(metadata), partial)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written ({_why(error)})", remedy="name a place you can write") from None


def _read(path: Path, needed: Sequence[str], more: Sequence[str], text: Sequence[str] = ()) -> pa.Table:
    """The needed columns and those of `more` that there are; columns of `text` are not interpreted in CSV."""
    parquet = _is_parquet(path)
    try:
        present = pq.read_schema(path).names if parquet else csv.open_csv(path).schema.names
        columns = [name for name in (*needed, *more) if name in present]
        _refuse_columns(path, present, needed, columns)
        if parquet:
            table = pq.read_table(path, columns=columns)
        else:
            as_text = {name: pa.string() for name in text if name in present}
            options = {"null_values": [""], "strings_can_be_null": True, "column_types": as_text}
            table = csv.read_csv(path, convert_options=csv.ConvertOptions(include_columns=columns, **options))
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error, parquet) from None
    if not table.num_rows:
        raise InputError(f"{path} has no rows", remedy="give at least one")
    return table


def _is_parquet(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({_why(error)})", remedy="name a file that can") from None
    if not start:
        raise InputError(f"{path} is empty", remedy="give a file with rows")
    if path.suffix == ".parquet" and start != _PARQUET_MAGIC:
        raise InputError(f"{path} is no Parquet file", remedy="write it again as Parquet")
    return start == _PARQUET_MAGIC


def _unreadable(path: Path, error: Exception, parquet: bool) -> InputError:
    """What is wrong with the file; the reader's own words would quote its rows."""
    line = re.search(r"Row #(\d+)", str(error))
    if line:
        return InputError(f"{path}, line {line[1]}: another number of fields than line 1", remedy="mend the line")
    if parquet:
        return InputError(f"{path} is damaged Parquet", remedy="write it again")
    return InputError(f"{path} is neither Parquet nor UTF-8 CSV", remedy="save it as one of them")


def _refuse_columns(path: Path, present: Sequence[str], needed: Sequence[str], read: Sequence[str]) -> None:
    if missing := [name for name in needed if name not in present]:
        raise InputError(
            f"{path} lacks the column {', '.join(missing)}",
            remedy=f"name the columns {', '.join(needed)}; in CSV on line 1, separated by commas",
        )
    if twice := [name for name in read if present.count(name) > 1]:
        raise InputError(f"{path} has the column {twice[0]} twice", remedy="keep one")


def _refuse_type(
    path: Path, table: pa.Table, name: str, allowed: Sequence[Callable[[pa.DataType], bool]], wanted: str
) -> None:
    kind = table.schema.field(name).type
    if not any(fits(kind) for fits in allowed):
        raise InputError(f"{path}: column {name} holds {kind}", remedy=f"give {wanted}")


def _is_text(kind: pa.DataType) -> bool:
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(plain) or pa.types.is_large_string(plain))


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
    names = ratings["control"].cast(pa.string())
    known = sorted(name for name in pc.unique(names).to_pylist() if name is not None)
    if control is None and len(known) > 1:
        raise InputError(
            f"the ratings are of {len(known)} controls", remedy=f"choose by --control: {', '.join(known)}"
        )
    if control is not None and control not in known:
        raise InputError(f"there is no rating of control {control!r}", remedy=f"choose of {', '.join(known)}")
    return ratings if control is None else ratings.filter(pc.equal(names, control))


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
