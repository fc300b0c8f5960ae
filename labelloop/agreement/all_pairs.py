"""Cohen's kappa of every two annotators at once: one count of all pairs of ratings, one formula over all tables.

Work grows with the pairs that exist. The interval has a closed form: thousands of pairs need no bootstrap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from labelloop.agreement.interval import ROUNDING, unseen_share
from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.agreement.similarity import Scale, similarity
from labelloop.errors import NotEstimable

WEIGHTS = {"cohen_kappa": "none", "cohen_kappa_linear": "linear", "cohen_kappa_quadratic": "quadratic"}
CELLS = 25_000_000  # of the tables of all pairs: 200 MB
UNITS = 131_072  # counted at once: few enough to stay in the processor's cache


@dataclass(frozen=True)
class PairKappas:
    """One entry for each two annotators who share a unit, by position in `Ratings.annotators`.

    `n` units they share, in `n_independent` groups; `value`, `low`, `high` are NaN where every rating of both has the
    same value.
    """

    first: IntArray
    second: IntArray
    n: IntArray
    n_independent: IntArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


def pair_kappas(ratings: Ratings, scale: Scale, metric: str, confidence: float = 0.95) -> PairKappas:
    """Cohen's kappa, plain or weighted, of all pairs with the interval of Fleiss, Cohen and Everitt (1969).

    Taken on Fisher's scale, artanh(kappa), on which it is nearer to normal: of 200 units the quadratic kappa covers
    93.4-94.8 % where kappa's own scale covers 90.6-94.4 % (simulated). Of groups of units the variance is that of
    their sums (Binder 1983). Without variance the formula knows no interval; what then may be otherwise is a share of
    the units (Clopper and Pearson 1934).

    Raises:
        NotEstimable: weights without an order of the values.
    """
    kind = WEIGHTS[metric]
    if kind != "none" and not scale.ordered:
        raise NotEstimable("a weighted kappa needs ordered values: numbers, or categories given in order")
    codes, tables = _tables(ratings)
    n = tables.sum(axis=(1, 2))
    share = tables / n[:, None, None]
    value, pull, expected = _kappa(share, similarity(scale, kind))
    n_independent, variance = n, np.einsum("pij,pij->p", share, pull**2) / n
    if ratings.group is not None:
        n_independent, variance = _of_groups(ratings, ratings.group, codes, pull)
    low, high = _interval(value, variance, expected, n_independent, confidence)
    first, second = np.divmod(codes, len(ratings.annotators))
    return PairKappas(first, second, n.astype(np.int64), n_independent.astype(np.int64), value, low, high)


def fits(ratings: Ratings) -> bool:
    """Whether the tables of all pairs fit into memory at once."""
    return bool((len(ratings.annotators) * len(ratings.values)) ** 2 <= CELLS)


def _tables(ratings: Ratings) -> tuple[IntArray, FloatArray]:
    """The codes of the pairs that share a unit, ascending, and their tables, pairs x categories x categories."""
    n_annotators, n_categories = len(ratings.annotators), len(ratings.values)
    width = n_annotators * n_categories
    counts = np.zeros(width**2)
    for said in _answers_by_place(ratings):
        row = said * width
        for shift in range(1, len(said)):
            _add(counts, (row[:-shift] + said[shift:]).ravel())
    by_cell = counts.reshape(n_annotators, n_categories, n_annotators, n_categories)
    tables = by_cell.transpose(0, 2, 1, 3).reshape(-1, n_categories, n_categories)
    present = np.flatnonzero(tables.any(axis=(1, 2)))
    return present, tables[present]


def _add(counts: FloatArray, cells: IntArray) -> None:
    """Count cells: a pass over all cells for many, one at a time for few."""
    if len(cells) * 10 > len(counts):
        counts += np.bincount(cells, minlength=len(counts))
    else:
        np.add.at(counts, cells, 1.0)


def _answers_by_place(ratings: Ratings) -> Iterator[IntArray]:
    """Who said what, first, second and so on of each unit, places x units, for units of one size at a time."""
    sizes = np.flatnonzero(np.bincount(ratings.per_unit))
    for size in sizes[sizes >= 2].tolist():
        of = ratings if len(sizes) == 1 else ratings.take((ratings.per_unit == size)[ratings.unit])
        for start in range(0, len(of.unit), UNITS * size):
            block = slice(start, start + UNITS * size)
            said = of.annotator[block] * len(of.values) + of.value[block]
            yield np.ascontiguousarray(said.reshape(-1, size).T)


def _kappa(share: FloatArray, alike: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, pull of a unit in each cell on it, and chance agreement of each table of shares; pulls sum to zero."""
    by_first, by_second = share.sum(axis=2), share.sum(axis=1)
    like_second, like_first = by_second @ alike.T, by_first @ alike
    observed, expected = np.einsum("pij,ij->p", share, alike), np.einsum("pi,pi->p", by_first, like_second)
    rest = np.where(1 - expected > ROUNDING, 1 - expected, np.nan)
    chance = like_second[:, :, None] + like_first[:, None, :]
    pull = alike / rest[:, None, None] - chance * ((1 - observed) / rest**2)[:, None, None]
    pull -= np.einsum("pij,pij->p", share, pull)[:, None, None]
    return 1 - (1 - observed) / rest, pull, expected


def _of_groups(ratings: Ratings, group: IntArray, codes: IntArray, pull: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Number of groups that each pair shares, and the variance of its kappa over them."""
    pairs = pairs_of(ratings)
    one, other = pairs.first, pairs.second
    place = np.searchsorted(codes, ratings.annotator[one] * len(ratings.annotators) + ratings.annotator[other])
    cell = place * (int(group.max(initial=0)) + 1) + group[pairs.unit]
    _, first, of = np.unique(cell, return_index=True, return_inverse=True)
    total = np.bincount(of, weights=pull[place, ratings.value[one], ratings.value[other]])
    n_groups = np.bincount(place[first]).astype(np.float64)
    squares = np.bincount(place[first], weights=total**2)
    return n_groups, squares / np.bincount(place) ** 2 * n_groups / np.maximum(n_groups - 1, 1)


def _interval(
    value: FloatArray, variance: FloatArray, expected: FloatArray, n: FloatArray, confidence: float
) -> tuple[FloatArray, FloatArray]:
    """Ends of the interval of each kappa that rests on n things, of which each has an influence of its own."""
    unseen = np.array([unseen_share(int(count), confidence) for count in n])
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = student.ppf(0.5 + confidence / 2, n - 1) * np.sqrt(variance) / (1 - value**2)
        low, high = np.tanh(np.arctanh(value) - reach), np.tanh(np.arctanh(value) + reach)
        perfect, alike = value > 1 - ROUNDING, variance < ROUNDING**2
        low = np.where(perfect, np.maximum(1 - unseen / (1 - expected), -1.0), np.where(alike, value, low))
        high = np.where(perfect, 1.0, np.where(alike, 1 - (1 - value) * (1 - unseen), high))
    return low, high
