"""List columns of Arrow tables as NumPy matrices: probabilities and embeddings travel this way.

What a row must satisfy beyond having the right length belongs to its reader
(`labelloop.acquisition.probabilities`, `labelloop.sampling.pool`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.errors import InputError


class Matrix(NamedTuple):
    """`values` (n, width); `missing` and `misshapen` (n,) tell why a row of `values` is all NaN."""

    values: NDArray[np.floating]
    missing: NDArray[np.bool_]
    misshapen: NDArray[np.bool_]


def matrix(column: pa.ChunkedArray | pa.Array, *, width: int | None = None) -> Matrix:
    """A list column as one matrix with a row for each row of the column.

    float32 stays float32, every other number becomes float64. A null row is `missing`, a row of
    another length than `width` is `misshapen`; both are NaN throughout. Without `width` the most
    frequent length counts (of equally frequent ones the smallest; 0 for a column without values).
    A column whose rows are all sound is not copied.

    Raises:
        InputError: the column holds no lists of numbers.

    >>> matrix(pa.array([[0.5, 0.5], None, [1.0]]), width=2).values.tolist()
    [[0.5, 0.5], [nan, nan], [nan, nan]]
    """
    lists = _lists(column)
    counted = pc.list_value_length(lists)
    lengths = (counted.fill_null(-1) if counted.null_count else counted).to_numpy(zero_copy_only=False)
    missing = lengths < 0
    if width is None:
        width = _usual(lengths)
    misshapen = ~missing & (lengths != width)
    sound = ~(missing | misshapen)
    kept = lists if sound.all() else lists.filter(pa.array(sound))
    flat = kept.flatten().to_numpy(zero_copy_only=False)
    rows = flat.astype(np.float64, copy=False) if flat.dtype != np.float32 else flat
    rows = rows.reshape(len(kept), width)
    if not sound.all():
        spread = np.full((len(lists), width), np.nan, dtype=rows.dtype)
        spread[sound] = rows
        rows = spread
    return Matrix(rows, missing, misshapen)


def _usual(lengths: NDArray[np.integer]) -> int:
    """The most frequent length >= 0, of equally frequent ones the smallest; 0 without any."""
    if len(lengths) and lengths[0] >= 0 and (lengths == lengths[0]).all():
        return int(lengths[0])  # as nearly always; counting would copy
    present = lengths[lengths >= 0]
    return int(np.bincount(present).argmax()) if len(present) else 0


def lists_of(values: NDArray[np.floating]) -> pa.Array:
    """A matrix as a list column, one list for each row; the inverse of `matrix`.

    >>> lists_of(np.array([[0.25, 0.75]])).to_pylist()
    [[0.25, 0.75]]
    """
    rows, width = values.shape
    offsets = pa.array(np.arange(rows + 1, dtype=np.int64) * width)
    return pa.LargeListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(values).ravel()))


def in_one_piece(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """A column as one array, copied only when it has several chunks: Arrow's own `combine_chunks` always copies.

    >>> in_one_piece(pa.chunked_array([[1], [2]])).to_pylist()
    [1, 2]
    """
    if isinstance(column, pa.Array):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _lists(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.list_(pa.float64()))
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not (pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type)):
        raise InputError(f"a vector column holds {kind}", remedy="give lists of numbers, for example list<float>")
    if pa.types.is_fixed_size_list(kind):
        column = column.cast(pa.list_(kind.value_type))
    return in_one_piece(column)
