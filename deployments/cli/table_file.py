"""One table in one file: columns of CSV or Parquet in, Parquet out, nothing half written.

Whatever is wrong with a file becomes one named error. Values never appear in messages, since they may be identifiers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv

from labelloop.errors import InputError

_PARQUET_MAGIC = b"PAR1"
_GLANCE = 4096  # bytes that tell what a file is
_EMPTY = "Empty CSV"  # in the reader's words
_IN_ORDER = csv.ReadOptions(use_threads=False)  # several threads do not know the number of a bad line


def read_columns(path: Path, needed: Sequence[str], more: Sequence[str], text: Sequence[str] = ()) -> pa.Table:
    """Return the needed columns and those of `more` that there are, in types that can be sorted and compared.

    Args:
        path: the file; its first bytes tell which of the two it is.
        needed: columns it must have.
        more: columns it may have.
        text: columns that are text as written in CSV; the type of others is found; only an empty field is missing.

    Raises:
        InputError: no such file, neither CSV nor Parquet, a column missing or there twice, or no rows.
    """
    parquet = is_parquet(path)
    try:
        present = pq.read_schema(path).names if parquet else csv.open_csv(path, _IN_ORDER).schema.names
        columns = [name for name in (*needed, *more) if name in present]
        _refuse_columns(path, present, needed, columns)
        table = pq.read_table(path, columns=columns) if parquet else _read_csv(path, columns, text)
    except (pa.ArrowInvalid, OSError) as error:
        raise _unreadable(path, error, parquet) from None
    if not table.num_rows:
        raise InputError(f"{path} has no rows", remedy="give at least one")
    return table.cast(pa.schema([(field.name, _plain(field.type)) for field in table.schema]))


def _read_csv(path: Path, columns: Sequence[str], text: Sequence[str]) -> pa.Table:
    as_text = {name: pa.string() for name in text if name in columns}
    options = {"null_values": [""], "strings_can_be_null": True, "column_types": as_text}
    table = csv.read_csv(path, _IN_ORDER, convert_options=csv.ConvertOptions(include_columns=columns, **options))
    if any(pa.types.is_binary(kind) for kind in table.schema.types):
        raise _neither(path)
    texts = (column for column in table.itercolumns() if pa.types.is_string(column.type))
    if any(pc.any(pc.match_substring(column, "\n")).as_py() for column in texts):
        raise InputError(f"{path}: a field goes over several lines", remedy="close its quotes, or give Parquet")
    return table


def is_parquet(path: Path) -> bool:
    """Return whether the file is Parquet.

    Raises:
        InputError: it cannot be read, is empty, or is neither Parquet nor text.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_GLANCE)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({_why(error)})", remedy="name a file that can") from None
    if not start:
        raise InputError(f"{path} is empty", remedy="give a file with rows")
    parquet = start.startswith(_PARQUET_MAGIC)
    if path.suffix == ".parquet" and not parquet:
        raise InputError(f"{path} is no Parquet file", remedy="write it again as Parquet")
    if not parquet and b"\0" in start:
        raise _neither(path)
    return parquet


def _unreadable(path: Path, error: Exception, parquet: bool) -> InputError:
    """What is wrong with the file; the reader's own words would quote its rows."""
    line = re.search(r"Row #(\d+)", str(error))
    if line:
        return InputError(f"{path}, line {line[1]}: another number of fields than line 1", remedy="mend the line")
    if parquet:
        return InputError(f"{path} is damaged Parquet", remedy="write it again")
    return InputError(f"{path} has no rows", remedy="give at least one") if _EMPTY in str(error) else _neither(path)


def _neither(path: Path) -> InputError:
    return InputError(f"{path} is neither Parquet nor UTF-8 CSV", remedy="save it as one of them")


def _refuse_columns(path: Path, present: Sequence[str], needed: Sequence[str], read: Sequence[str]) -> None:
    if missing := [name for name in needed if name not in present]:
        raise InputError(
            f"{path} lacks the column {', '.join(missing)}",
            remedy=f"name the columns {', '.join(needed)}; in CSV on line 1, separated by commas",
        )
    if twice := [name for name in read if present.count(name) > 1]:
        raise InputError(f"{path} has the column {twice[0]} twice", remedy="keep one")


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type as which a column can be sorted and compared: categoricals as what they stand for."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string_view(kind):
        return pa.string()
    return pa.float32() if pa.types.is_float16(kind) else kind


def write_parquet(table: pa.Table, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Write a table with metadata beside its schema; the file appears whole or not at all.

    Raises:
        InputError: the name does not end in .parquet, or the file cannot be written there.
    """
    if path.suffix != ".parquet":
        raise InputError(f"{path} does not end in .parquet", remedy="name a Parquet file")
    with appearing(path) as file:
        pq.write_table(table.replace_schema_metadata(metadata), file)


@contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """Give the block a file to write that appears under its name when the block is over, or not at all.

    Raises:
        InputError: it cannot be written there.
    """
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({_why(error)})", remedy="name a place you can write") from None
    finally:
        with suppress(OSError):  # what kept us from writing may keep us from looking, too
            partial.unlink()


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
