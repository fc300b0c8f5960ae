"""Answers that are sets: several labels of one unit, or paths of a taxonomy, and how far two of them are apart.

An answer is a list of labels, or a list of paths from the root; as text, a JSON array of either. Order within a set
does not matter. How distances become coefficients is in `krippendorff.py` and `similarity.py`.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import sparse

from labelloop.agreement.ratings import FloatArray
from labelloop.errors import InputError

Labels = frozenset[Hashable]


def label_sets(values: pa.Array) -> list[Labels]:
    """The set of labels that each value stands for; a path is one label.

    Raises:
        InputError: a value is no JSON array of labels or of paths.

    >>> label_sets(pa.array(['["cat", "dog"]', "[]"])) == [frozenset({"cat", "dog"}), frozenset()]
    True
    """
    return [frozenset(map(_label, _parsed(value))) for value in values.to_pylist()]


def with_ancestors(paths: Labels) -> Labels:
    """The paths with everything above them: two answers share what their branches share (Kiritchenko et al. 2005).

    >>> sorted(with_ancestors(frozenset({("animal", "dog")})))
    [('animal',), ('animal', 'dog')]
    """
    steps = (path if isinstance(path, tuple) else (path,) for path in paths)
    return frozenset(path[:depth] for path in steps for depth in range(1, len(path) + 1))


def jaccard_distance(sets: list[Labels]) -> FloatArray:
    """1 - |intersection| / |union| for each two sets, 0 for two empty ones (Jaccard 1912).

    >>> jaccard_distance([frozenset("ab"), frozenset("a"), frozenset()]).tolist()
    [[0.0, 0.5, 1.0], [0.5, 0.0, 1.0], [1.0, 1.0, 0.0]]
    """
    common, size = _overlap(sets)
    union = size[:, None] + size - common
    return 1.0 - np.where(union > 0, common / np.where(union > 0, union, 1.0), 1.0)


def masi_distance(sets: list[Labels]) -> FloatArray:
    """1 - Jaccard x monotonicity: 1 for equal sets, 2/3 if one holds the other, 1/3 if they overlap.

    Source: Passonneau 2006.

    >>> masi_distance([frozenset("ab"), frozenset("a")]).round(4).tolist()
    [[0.0, 0.6667], [0.6667, 0.0]]
    """
    common, size = _overlap(sets)
    smaller = np.minimum(size[:, None], size)
    equal = (common == size) & (common == size[:, None])
    monotonicity = np.where(equal, 1.0, np.where(common == smaller, 2 / 3, np.where(common > 0, 1 / 3, 0.0)))
    return np.asarray(1.0 - (1.0 - jaccard_distance(sets)) * monotonicity)


def _overlap(sets: list[Labels]) -> tuple[FloatArray, FloatArray]:
    """Number of labels that each two sets share, and that each has."""
    names = {label: place for place, label in enumerate(dict.fromkeys(label for one in sets for label in one))}
    size = np.array([len(one) for one in sets], dtype=np.float64)
    rows = np.repeat(np.arange(len(sets)), size.astype(np.int64))
    columns = np.array([names[label] for one in sets for label in one], dtype=np.int64)
    member = sparse.csr_array((np.ones(len(columns)), (rows, columns)), shape=(len(sets), max(len(names), 1)))
    return np.asarray((member @ member.T).toarray()), size


def _parsed(value: object) -> Iterable[Any]:
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list):
        raise InputError("a rating is no set of labels", remedy='give lists, or text such as ["cat", "dog"]')
    return found


def _label(found: Any) -> Hashable:
    if isinstance(found, list) and all(isinstance(step, str) for step in found):
        return tuple(found)
    if not isinstance(found, str | int | float | bool):
        raise InputError("a label within a set is no text", remedy="give texts, or paths as lists of texts")
    return found
