"""Pools that the verb `sample` takes from files, with columns that can be used or a named error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from deployments.cli.table_file import is_parquet, read_columns
from deployments.cli.tables import NAMES, refuse_type
from labelloop.errors import InputError

Test = Callable[[pa.DataType], bool]


def _is_list_of(inner: Test) -> Test:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return lambda kind: any(fits(kind) for fits in lists) and inner(kind.value_type)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


_NUMBERS = (_is_list_of(_is_number), "a list of numbers in each row")
_REGIONS = (_is_list_of(pa.types.is_struct), "a list of structs in each row")
_TEXT = (lambda kind: any(fits(kind) for fits in NAMES), "text")
# Every column a pool may have beside ref_id, the types it may be of, and these in words.
_COLUMNS: dict[str, tuple[Test, str]] = {
    "probabilities": _NUMBERS,
    "label_probabilities": _NUMBERS,
    "draws": _NUMBERS,
    "embedding": _NUMBERS,
    "committee": (_is_list_of(_is_list_of(_is_number)), "a list of lists of numbers in each row"),
    "boxes": _REGIONS,
    "spans": _REGIONS,
    "stratum": _TEXT,
    "group": _TEXT,
    "source": _TEXT,
    "digest": _TEXT,
    "perceptual_hash": (pa.types.is_integer, "whole numbers of 64 bits"),
    "cost": (_is_number, "hours as numbers"),
    "seen_at": (pa.types.is_timestamp, "timestamps"),
}


def read_pool_file(path: Path) -> pa.Table:
    """Return `ref_id` of a Parquet file, and what it has of the columns that a choice can ask for.

    Raises:
        InputError: no such file, no Parquet, a column missing or of no use, or no rows.
    """
    if not is_parquet(path):
        raise InputError(f"{path} is no Parquet file", remedy="write the pool as Parquet")
    pool = read_columns(path, ("ref_id",), tuple(_COLUMNS))
    refuse_type(path, pool, "ref_id", NAMES, "text or whole numbers")
    for name, (fits, wanted) in _COLUMNS.items():
        if name in pool.column_names:
            refuse_type(path, pool, name, (fits, pa.types.is_null), wanted)
    return pool
