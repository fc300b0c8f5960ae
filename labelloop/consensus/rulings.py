"""Expert rulings joined to the ratings: which class each unit is known to have.

A ruling may concern a unit nobody rated, or name a class nobody chose; both are added.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import IntArray, Ratings, is_numeric, select_columns
from labelloop.errors import InputError


def join_rulings(ratings: Ratings, rulings: pa.Table | pd.DataFrame | None) -> tuple[Ratings, IntArray]:
    """The ratings with every ruled unit and class in them, and the class ruled for each unit, -1 without one.

    Raises:
        InputError: the columns unit and value are missing or not of the ratings' types, or a unit has two rulings.
    """
    if rulings is None:
        return ratings, np.full(len(ratings.units), -1, dtype=np.int64)
    table = select_columns(rulings, ("unit", "value"), "rulings")
    ruled, value = _alike(table["unit"], ratings.units), _alike(table["value"], ratings.values)
    if ruled.null_count or value.null_count or len(pc.unique(ruled)) < len(ruled):
        raise InputError("a ruling is incomplete, or a unit has two", remedy="give one unit and one value per row")
    units = _union(ratings.units, ruled)
    units = units.take(pc.sort_indices(units))
    values = _union(ratings.values, value)
    if ratings.ordered and len(values) > len(ratings.values):
        values = _in_order(values)
    known = np.full(len(units), -1, dtype=np.int64)
    known[_position(ruled, units)] = _position(value, values)
    return _recoded(ratings, units, values), known


def _alike(column: pa.ChunkedArray, names: pa.Array) -> pa.Array:
    """The column in the type of the names it will be compared with."""
    array = column.combine_chunks()
    if pa.types.is_null(names.type) or not len(names):
        return array
    try:
        return array.cast(names.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"rulings are {array.type}, ratings are {names.type}", remedy="give one type") from error


def _union(names: pa.Array, more: pa.Array) -> pa.Array:
    if not len(names):
        return pc.unique(more)
    return pa.concat_arrays([names, pc.unique(more.filter(pc.invert(pc.is_in(more, names))))])


def _in_order(values: pa.Array) -> pa.Array:
    """Numbers ascending; of anything else nobody has said where a new value belongs."""
    if not is_numeric(values.type):
        raise InputError("a ruling is none of the declared categories", remedy="declare every value that occurs")
    return values.take(pc.sort_indices(values))


def _position(names: pa.Array, among: pa.Array) -> IntArray:
    return np.asarray(pc.index_in(names, among), dtype=np.int64)


def _recoded(ratings: Ratings, units: pa.Array, values: pa.Array) -> Ratings:
    unit, value = ratings.unit, ratings.value
    if len(unit):
        unit, value = _position(ratings.units, units)[unit], _position(ratings.values, values)[value]
    return Ratings(unit, ratings.annotator, value, units, ratings.annotators, values, ratings.ordered)
