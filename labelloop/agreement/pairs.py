"""Pairs: every two ratings of the same unit, and the tables in which two annotators are compared.

Built by shifting the sorted ratings against themselves, so the work grows with the pairs that exist and not with
annotators squared. Coefficients live elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from labelloop.agreement.patterns import Patterns, cluster_weights
from labelloop.agreement.ratings import IntArray, Ratings


@dataclass(frozen=True)
class Pairs:
    """Two ratings of one unit per entry: positions in the ratings, the earlier annotator first."""

    ratings: Ratings
    first: IntArray
    second: IntArray

    def where(self, keep: NDArray[Any]) -> Pairs:
        """The pairs that `keep` selects, as a mask, as positions or as a slice."""
        return Pairs(self.ratings, self.first[keep], self.second[keep])

    @property
    def unit(self) -> IntArray:
        """Unit of each pair."""
        return self.ratings.unit[self.first]


def pairs_of(ratings: Ratings) -> Pairs:
    """All pairs of ratings of the same unit.

    >>> import pandas as pd; from labelloop.agreement.ratings import read_ratings
    >>> table = pd.DataFrame({"unit": [1, 1, 1], "annotator": ["a", "b", "c"], "value": list("xyx")})
    >>> found = pairs_of(read_ratings(table))
    >>> found.first.tolist(), found.second.tolist()
    ([0, 1, 0], [1, 2, 2])
    """
    longest = int(ratings.per_unit.max(initial=0))
    starts = [np.flatnonzero(ratings.unit[shift:] == ratings.unit[:-shift]) for shift in range(1, longest)]
    first = np.concatenate([np.empty(0, dtype=np.int64), *starts])
    shifts = np.repeat(np.arange(1, longest), [len(start) for start in starts]) if starts else first
    return Pairs(ratings, first, first + shifts)


def crosstab(pairs: Pairs) -> Patterns:
    """The table of two annotators: one pattern per combination of their answers, counted in units.

    The pairs must be of the same two annotators. Resampled by unit, or by group when the ratings have groups.
    """
    ratings = pairs.ratings
    n = len(ratings.values)
    cell = ratings.value[pairs.first] * n + ratings.value[pairs.second]
    cells, position, frequency = np.unique(cell, return_inverse=True, return_counts=True)
    clusters = cluster_weights(ratings, pairs.unit, position, len(cells))
    return _cells(cells, n, frequency.astype(np.float64), clusters)


def crosstab_with_others(pairs: Pairs, annotator: int) -> Patterns:
    """The table of one annotator against all others: own answer first; each unit weighs one, shared by the others.

    The pairs must all involve the annotator. Answers of others to one unit depend on each other, so what is
    resampled is the unit, or the group when the ratings have groups.
    """
    ratings = pairs.ratings
    own_first = ratings.annotator[pairs.first] == annotator
    own = np.where(own_first, pairs.first, pairs.second)
    other = np.where(own_first, pairs.second, pairs.first)
    n = len(ratings.values)
    cells, position = np.unique(ratings.value[own] * n + ratings.value[other], return_inverse=True)
    weight = 1.0 / np.bincount(pairs.unit, minlength=len(ratings.units))[pairs.unit]
    independent = pairs.unit if ratings.group is None else ratings.group[pairs.unit]
    names, row = np.unique(independent, return_inverse=True)
    clusters = sparse.csr_array((weight, (row, position)), shape=(len(names), len(cells)))
    frequency = np.bincount(position, weights=weight, minlength=len(cells))
    return _cells(cells, n, frequency, clusters)


def _cells(cells: IntArray, n: int, frequency: Any, clusters: Any | None) -> Patterns:
    first, second = np.divmod(cells, n)
    row = np.arange(len(cells))
    both = (np.concatenate([row, row]), np.concatenate([first, second]))
    counts = sparse.csr_array((np.ones(2 * len(cells)), both), shape=(len(cells), n))
    return Patterns(counts, frequency, clusters, pair=(first, second))
