"""Arrow columns of nested values, made level by level: each field of all structs at once.

Arrow's own conversion looks at one value after the other, which takes it five times as long.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, count
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as t
from numpy.typing import NDArray


def nested_column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return the values as an Arrow array.

    Args:
        values: lists or None for a list type, for a struct type tuples with its fields in their order, never None;
            what `pyarrow.array` takes for any other.
        kind: the type; nested as deep as wanted.

    >>> marks = pa.list_(pa.struct([("name", pa.string()), ("points", pa.list_(pa.float64()))]))
    >>> nested_column([[("a", [1.0]), ("b", None)], None, []], marks).to_pylist()
    [[{'name': 'a', 'points': [1.0]}, {'name': 'b', 'points': None}], None, []]
    """
    if all(value is None for value in values):
        return pa.nulls(len(values), kind)
    if t.is_list(kind):
        return _lists(values, kind)
    if t.is_struct(kind):
        fields = zip(zip(*values, strict=True), kind, strict=True)
        return pa.StructArray.from_arrays([nested_column(given, field.type) for given, field in fields], fields=kind)
    return pa.array(values, kind)


def list_column(
    sizes: Sequence[int] | array[int] | NDArray[np.integer[Any]], items: pa.Array, kind: pa.ListType
) -> pa.Array:
    """Return lists of so many items each, one list behind the other; a size below zero stands for no list.

    >>> list_column([1, -1, 0, 2], pa.array("abc"), pa.list_(pa.string())).to_pylist()
    [['a'], None, [], ['b', 'c']]
    """
    counts = np.asarray(sizes, np.int32)
    offsets = np.zeros(len(counts) + 1, np.int32)
    np.cumsum(np.maximum(counts, 0), out=offsets[1:])
    return pa.ListArray.from_arrays(offsets, items, type=kind, mask=pa.array(counts < 0))


def spread_column(values: pa.Array, rows: Sequence[int] | NDArray[np.integer[Any]], count: int) -> pa.Array:
    """Return so many rows: the values in theirs, null in all others.

    >>> spread_column(pa.array([5, 7]), [2, 0], 3).to_pylist()
    [7, None, 5]
    """
    places, others = np.zeros(count, np.int64), np.ones(count, bool)
    places[rows] = np.arange(len(values))
    others[rows] = False
    return values.take(pa.array(places, mask=others))


class Words:
    """A column of words of which there are few, growing."""

    def __init__(self) -> None:
        """Begin without words."""
        self._known: defaultdict[str, int] = defaultdict(count().__next__)
        self._codes = array("i")

    def extend(self, words: Iterable[str]) -> None:
        """Take in words.

        >>> found = Words()
        >>> found.extend("abba")
        >>> found.array().to_pylist(), len(found.array().dictionary)
        (['a', 'b', 'b', 'a'], 2)
        """
        self._codes.extend(map(self._known.__getitem__, words))

    def array(self) -> pa.DictionaryArray:
        """Return the words so far."""
        return pa.DictionaryArray.from_arrays(np.array(self._codes, np.int32), pa.array([*self._known], pa.string()))


class WordLists:
    """A column of lists of such words, growing."""

    def __init__(self) -> None:
        """Begin without lists."""
        self.words = Words()
        self.sizes = array("i")

    def extend(self, lists: Sequence[Sequence[str]]) -> None:
        """Take in lists.

        >>> found = WordLists()
        >>> found.extend([["a", "b"], []])
        >>> found.array().to_pylist()
        [['a', 'b'], []]
        """
        self.sizes.extend(map(len, lists))
        self.words.extend(chain.from_iterable(lists))

    def array(self) -> pa.ListArray:
        """Return the lists so far."""
        return list_column(self.sizes, self.words.array().dictionary_decode(), pa.list_(pa.string()))


def _lists(values: Sequence[Any], kind: pa.ListType) -> pa.Array:
    items = nested_column([*chain.from_iterable(filter(None, values))], kind.value_type)
    return list_column([-1 if value is None else len(value) for value in values], items, kind)
