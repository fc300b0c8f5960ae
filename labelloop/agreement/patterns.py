"""Patterns: the distinct ways in which units were answered, and how many units show each.

Every coefficient depends on a unit only through how often each category was chosen for it, so a million units
collapse into a few hundred patterns, and a bootstrap of units is a multinomial draw over patterns: same
distribution, none of the loops.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from labelloop.agreement.ratings import FloatArray, IntArray, Ratings

# (replicates, patterns) weights -> one number per replicate.
PerReplicate: TypeAlias = Callable[[FloatArray], FloatArray]
# (replicates, patterns) weights -> observed and expected disagreement of each replicate, both in units of the
# worst possible disagreement. Every coefficient is 1 - observed / expected.
Disagreement: TypeAlias = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

EXACT_BITS = 52  # whole numbers a float64 sum keeps exactly
TABLE_BITS = 22  # a direct table of 4M pattern keys is cheaper than sorting them


@dataclass(frozen=True)
class Patterns:
    """How often each category was chosen (`counts`, sparse patterns x categories) by how many units (`frequency`).

    `clusters` (sparse clusters x patterns) holds the weight of each pattern in what is resampled, when that is
    not the single unit. `pair` holds the categories chosen by the first and the second of two annotators.
    `by_annotator` (sparse patterns x annotators * categories) tells who chose what, where patterns tell it apart.
    """

    counts: Any
    frequency: FloatArray
    clusters: Any | None = None
    pair: tuple[IntArray, IntArray] | None = None
    by_annotator: Any | None = None

    @property
    def n_categories(self) -> int:
        """Number of categories, used or not."""
        return int(self.counts.shape[1])

    @property
    def n_independent(self) -> int:
        """Number of independent observations: clusters if there are any, else units with two ratings or more."""
        if self.clusters is None:
            return int(self.frequency[self.pairable].sum())
        return int(self.clusters.shape[0])

    @cached_property
    def size(self) -> FloatArray:
        """Ratings in a unit of each pattern."""
        return np.asarray(self.counts.sum(axis=1), dtype=np.float64).ravel()

    @property
    def pairable(self) -> Any:
        """True for patterns with at least two ratings."""
        return self.size >= 2


def patterns_of(ratings: Ratings) -> Patterns:
    """The patterns of all rated units, in an order that depends on the answers alone.

    >>> import pandas as pd; from labelloop.agreement.ratings import read_ratings
    >>> table = pd.DataFrame({"unit": [1, 1, 2, 2], "annotator": [7, 8, 7, 8], "value": list("xyyx")})
    >>> found = patterns_of(read_ratings(table))
    >>> found.counts.toarray().tolist(), found.frequency.tolist()
    ([[1.0, 1.0]], [2.0])
    """
    base = int(ratings.per_unit.max(initial=0)) + 1
    if len(ratings.values) * np.log2(base) > EXACT_BITS:
        return _one_pattern_per_unit(ratings, np.flatnonzero(ratings.per_unit))
    place = np.float64(base) ** np.arange(len(ratings.values))
    weights = place[ratings.value]
    key = np.bincount(ratings.unit, weights=weights, minlength=len(ratings.units)).astype(np.int64)
    keys, frequency = _tally(key, base ** len(ratings.values))
    unrated = int(np.searchsorted(keys, 1))  # the key of units without ratings is 0
    keys, frequency = keys[unrated:], frequency[unrated:]
    counts = sparse.csr_array((keys[:, None] // place.astype(np.int64) % base).astype(np.float64))
    clusters = None
    if ratings.group is not None:
        rated = np.flatnonzero(key)
        clusters = cluster_weights(ratings, rated, np.searchsorted(keys, key[rated]), len(keys))
    return Patterns(counts, frequency.astype(np.float64), clusters)


def patterns_by_annotator(ratings: Ratings) -> Patterns:
    """The patterns of all rated units when it matters who chose what; their order depends on the answers alone."""
    n_categories = len(ratings.values)
    chosen = ratings.annotator * n_categories + ratings.value
    rated, starts = np.unique(ratings.unit, return_index=True)
    # A sum of random 64-bit marks names a set of answers: two sets of a million share one with probability 3e-8.
    marks = np.random.default_rng(0).integers(1 << 63, size=len(ratings.annotators) * n_categories, dtype=np.uint64)
    keys = np.add.reduceat(marks[chosen], starts)
    _, first, position, frequency = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
    shape = (len(ratings.units), len(marks))
    by_annotator = sparse.csr_array((np.ones(len(chosen)), (ratings.unit, chosen)), shape=shape)[rated[first]]
    counts = _one_pattern_per_unit(ratings, rated[first]).counts
    clusters = cluster_weights(ratings, rated, position, len(first))
    return Patterns(counts, frequency.astype(np.float64), clusters, by_annotator=by_annotator)


def _tally(key: IntArray, n_keys: int) -> tuple[IntArray, IntArray]:
    if n_keys > 1 << TABLE_BITS:
        keys, frequency = np.unique(key, return_counts=True)
        return keys, frequency
    table = np.bincount(key)
    keys = np.flatnonzero(table)
    return keys, table[keys]


def _one_pattern_per_unit(ratings: Ratings, rated: IntArray) -> Patterns:
    """Too many categories for units to share patterns: each unit is its own."""
    shape = (len(ratings.units), len(ratings.values))
    counts = sparse.csr_array((np.ones(len(ratings.unit)), (ratings.unit, ratings.value)), shape=shape)
    clusters = cluster_weights(ratings, rated, np.arange(len(rated)), len(rated))
    return Patterns(counts[rated], np.ones(len(rated)), clusters)


def cluster_weights(ratings: Ratings, units: IntArray, pattern: IntArray, n_patterns: int) -> Any | None:
    """How often each group shows each pattern, sparse; None when the units are independent."""
    if ratings.group is None:
        return None
    groups, row = np.unique(ratings.group[units], return_inverse=True)
    return sparse.csr_array((np.ones(len(units)), (row, pattern)), shape=(len(groups), n_patterns))
