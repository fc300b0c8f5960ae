"""Ratings as integer codes: what each annotator said of each unit, checked once and then trusted.

The single entrance for agreement and consensus. Long and sparse: one code per answer that exists, so that memory
grows with the answers and never with annotators times units.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy import sparse

from labelloop.errors import InputError

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]
COLUMNS = ("unit", "annotator", "value")
_AT_ONCE = 100_000  # codes looked at before asking whether all were seen


@dataclass(frozen=True)
class Ratings:
    """Coded ratings, sorted by unit and annotator; a code is the position of a name in its ascending list.

    `unit`, `annotator`, `value` have one entry per rating; `units`, `annotators`, `values` hold the names.
    `values` lists every category, used or not; `ordered` tells whether their order means something.
    `group` is the cluster of each unit, None when units are independent, since no cluster has two of them.
    """

    unit: IntArray
    annotator: IntArray
    value: IntArray
    units: pa.Array
    annotators: pa.Array
    values: pa.Array
    ordered: bool = False
    group: IntArray | None = None

    @cached_property
    def per_unit(self) -> IntArray:
        """Number of ratings of each unit."""
        return np.bincount(self.unit, minlength=len(self.units))

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Which of the annotators rated anything."""
        return present(self.annotator, len(self.annotators))

    def take(self, keep: NDArray[np.bool_]) -> Ratings:
        """The ratings where `keep` is true; names and codes stay as they are."""
        unit, annotator, value = self.unit[keep], self.annotator[keep], self.value[keep]
        names = (self.units, self.annotators, self.values)
        return Ratings(unit, annotator, value, *names, self.ordered, self.group)


def present(code: IntArray, n: int) -> NDArray[np.bool_]:
    """Which of n codes occur; looks no further once all of them have.

    >>> present(np.array([2, 0]), 3).tolist()
    [True, False, True]
    """
    found = np.zeros(n, dtype=bool)
    for start in range(0, len(code), _AT_ONCE):
        found[code[start : start + _AT_ONCE]] = True
        if found.all():
            break
    return found


def read_ratings(
    table: pa.Table | pd.DataFrame | Ratings,
    *,
    categories: Sequence[Any] | None = None,
    group: str | None = None,
) -> Ratings:
    """Coded ratings of a long table with the columns unit, annotator and value.

    Missing values (null, NaN) are dropped: an annotator who did not answer said nothing. Row order does not matter.

    Args:
        table: one row per answer; values of one type (text, number, boolean, date, or lists for sets of labels).
        categories: every value that could be given, in ascending order; without it the values that occur.
        group: column that clusters units (for example the video of a frame); constant within a unit.

    Raises:
        InputError: a column is missing, types are mixed, an annotator rated a unit twice, a unit or annotator is
            missing, a value is infinite or not among the categories, or a unit lies in two groups.

    >>> read_ratings(pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ["x", None]})).value
    array([0])
    """
    if isinstance(table, Ratings):
        return table
    columns = select_columns(table, (*COLUMNS, group) if group else COLUMNS, "ratings")
    columns = columns.set_column(columns.column_names.index("value"), "value", _lists_as_text(columns["value"]))
    columns = _where(columns, _present(columns["value"]))
    if columns["unit"].null_count or columns["annotator"].null_count:
        raise InputError("a rating has no unit or no annotator", remedy="fill both columns or drop the row")
    units, annotators, values = (_encode(columns[name]) for name in COLUMNS)
    order = _by_unit_and_annotator(units[0], annotators[0])
    value, names = _categorise(*values, categories)
    return Ratings(
        units[0][order],
        annotators[0][order],
        value[order],
        units[1],
        annotators[1],
        names,
        ordered=categories is not None or is_numeric(names.type),
        group=_groups(columns[group], *units) if group else None,
    )


def select_columns(table: pa.Table | pd.DataFrame, names: Sequence[str], what: str) -> pa.Table:
    """These columns of a table as plain Arrow types; `what` names the table in messages.

    Raises:
        InputError: a column is missing or mixes types.
    """
    present = table.column_names if isinstance(table, pa.Table) else list(table.columns)
    if missing := [name for name in names if name not in present]:
        raise InputError(f"{what} lack the column {', '.join(missing)}", remedy=f"give {', '.join(names)}")
    if isinstance(table, pa.Table):
        return _plain(table.select(list(names)))
    try:
        return _plain(pa.Table.from_pandas(table[list(names)], preserve_index=False))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise InputError(f"a column of the {what} mixes types", remedy="give one type per column") from error


def _plain(table: pa.Table) -> pa.Table:
    """The table with dictionary columns (pandas categoricals) as the values they stand for."""
    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in table.schema.types]
    return table.cast(pa.schema(list(zip(table.column_names, kinds, strict=True))))


def _lists_as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column; lists of labels or of paths become JSON text, the same text for the same set."""
    if not pa.types.is_nested(column.type):
        return column
    if not isinstance(column.type, pa.ListType | pa.LargeListType) or pa.types.is_struct(column.type.value_type):
        raise InputError(f"rating values are {column.type}", remedy="give a text, number, boolean or list per rating")
    texts = [None if one is None else json.dumps(sorted(one), ensure_ascii=False) for one in column.to_pylist()]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _where(table: pa.Table, keep: pa.ChunkedArray) -> pa.Table:
    """The rows to keep; no row is copied when all are."""
    return table if pc.all(keep, min_count=0).as_py() else table.filter(keep)


def _present(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return pc.is_valid(column)
    if pc.any(pc.is_inf(column)).as_py():
        raise InputError("a rating value is infinite", remedy="give finite numbers or leave the value out")
    return pc.invert(pc.is_null(column, nan_is_null=True))


def _encode(column: pa.ChunkedArray) -> tuple[IntArray, pa.Array]:
    """Codes of a column and its distinct values, ascending."""
    encoded = column.combine_chunks().dictionary_encode()
    order = _ascending(encoded.dictionary)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[encoded.indices.to_numpy()], encoded.dictionary.take(pa.array(order))


def _ascending(names: pa.Array) -> IntArray:
    if pa.types.is_boolean(names.type):  # Arrow sorts no booleans
        names = names.cast(pa.uint8())
    return np.asarray(pc.sort_indices(names), dtype=np.int64)


def _by_unit_and_annotator(unit: IntArray, annotator: IntArray) -> IntArray:
    """Places of the ratings in order: rows of a sparse table are counted into place, faster than compared."""
    table = sparse.coo_array((np.arange(len(unit)), (unit, annotator))) if len(unit) else None
    order = np.empty(0, dtype=np.int64) if table is None else table.tocsr().data
    if repeated := len(unit) - len(order):
        raise InputError(
            f"{repeated} ratings repeat one by the same annotator of the same unit",
            remedy="keep one rating per annotator and unit",
            repeated=repeated,
        )
    return order


def _categorise(code: IntArray, names: pa.Array, categories: Sequence[Any] | None) -> tuple[IntArray, pa.Array]:
    """Value codes and names, recoded to the declared categories when there are any."""
    if categories is None:
        return code, names
    try:
        declared = pa.array(list(categories))
        declared = declared.cast(names.type) if len(names) else declared
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"categories are not of the values' type {names.type}", remedy="give the same type"
        ) from error
    if len(declared) != len(pc.unique(declared)):
        raise InputError("a category is declared twice", remedy="declare each category once")
    position = pc.index_in(names, declared)
    if position.null_count:
        raise InputError(
            f"{position.null_count} values are not among the {len(declared)} categories",
            remedy="declare every value that occurs",
        )
    return position.to_numpy().astype(np.int64)[code], declared


def _groups(column: pa.ChunkedArray, unit: IntArray, units: pa.Array) -> IntArray | None:
    if column.null_count:
        raise InputError("a rating has no group", remedy="give every unit a group, or no group column")
    code, _ = _encode(column)
    of_unit = np.zeros(len(units), dtype=np.int64)
    of_unit[unit] = code
    if np.any(of_unit[unit] != code):
        raise InputError("a unit lies in more than one group", remedy="give each unit one group")
    return of_unit if len(np.unique(of_unit)) < len(units) else None


def is_numeric(kind: pa.DataType) -> bool:
    """Whether values of this type are numbers, and so in an order."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
