"""Cohen's kappa of every two annotators at once: one count of all pairs of ratings, one formula over all tables.

Work grows with the pairs that exist. The interval is the asymptotic one: thousands of pairs need no bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from labelloop.agreement.interval import ROUNDING, unseen_share
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.agreement.similarity import Scale, similarity
from labelloop.errors import NotEstimable

WEIGHTS = {"cohen_kappa": "none", "cohen_kappa_linear": "linear", "cohen_kappa_quadratic": "quadratic"}
CELLS = 25_000_000  # of the tables of all pairs: 200 MB


@dataclass(frozen=True)
class PairKappas:
    """One entry for each two annotators who share a unit, by position in `Ratings.annotators`.

    `n` units they share; `value`, `low`, `high` are NaN where every rating of both has the same value.
    """

    first: IntArray
    second: IntArray
    n: IntArray
    value: FloatArray
    low: FloatArray
    high: FloatArray


def pair_kappas(ratings: Ratings, scale: Scale, metric: str, confidence: float = 0.95) -> PairKappas:
    """Cohen's kappa, plain or weighted, of all pairs with the interval of Fleiss, Cohen and Everitt (1969).

    Without a disagreement the formula knows no variance; the lower end then allows for the share of units that may
    still disagree (Clopper and Pearson 1934).

    Raises:
        NotEstimable: weights without an order of the values.
    """
    kind = WEIGHTS[metric]
    if kind != "none" and not scale.ordered:
        raise NotEstimable("a weighted kappa needs ordered values: numbers, or categories given in order")
    codes, tables = _tables(ratings)
    n = tables.sum(axis=(1, 2))
    value, deviation, expected = _kappa(tables / n[:, None, None], similarity(scale, kind), n)
    reach = float(norm.ppf(0.5 + confidence / 2)) * deviation
    unseen = np.array([unseen_share(int(count), confidence) for count in n])
    with np.errstate(invalid="ignore", divide="ignore"):
        lower = np.where(value > 1 - ROUNDING, 1 - unseen / (1 - expected), value - reach)
    low, high = np.clip(lower, -1.0, 1.0), np.clip(value + reach, -1.0, 1.0)
    first, second = np.divmod(codes, len(ratings.annotators))
    return PairKappas(first, second, n.astype(np.int64), value, low, high)


def fits(ratings: Ratings) -> bool:
    """Whether the tables of all pairs fit into memory at once."""
    return bool((len(ratings.annotators) * len(ratings.values)) ** 2 <= CELLS)


def _tables(ratings: Ratings) -> tuple[IntArray, FloatArray]:
    """The codes of the pairs that share a unit, ascending, and their tables, pairs x categories x categories."""
    n_annotators, n_categories = len(ratings.annotators), len(ratings.values)
    width = n_annotators * n_categories
    said = (ratings.annotator * n_categories + ratings.value).astype(np.int32)  # cells fit: see CELLS
    row, counts = said * np.int32(width), np.zeros(width**2 + 1)
    for shift in range(1, int(ratings.per_unit.max(initial=0))):
        same = ratings.unit[shift:] == ratings.unit[:-shift]
        counts += np.bincount(np.where(same, row[:-shift] + said[shift:], width**2), minlength=width**2 + 1)
    by_cell = counts[:-1].reshape(n_annotators, n_categories, n_annotators, n_categories)
    tables = by_cell.transpose(0, 2, 1, 3).reshape(-1, n_categories, n_categories)
    present = np.flatnonzero(tables.any(axis=(1, 2)))
    return present, tables[present]


def _kappa(share: FloatArray, alike: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value, standard deviation and chance agreement of each table of shares."""
    by_first, by_second = share.sum(axis=2), share.sum(axis=1)
    like_second, like_first = by_second @ alike.T, by_first @ alike
    observed, expected = np.einsum("pij,ij->p", share, alike), np.einsum("pi,pi->p", by_first, like_second)
    rest = np.where(1 - expected > ROUNDING, 1 - expected, np.nan)
    chance = like_second[:, :, None] + like_first[:, None, :]
    term = alike * rest[:, None, None] - chance * (1 - observed)[:, None, None]
    second_moment = np.einsum("pij,pij->p", share, term**2)
    variance = (second_moment - (observed * expected - 2 * expected + observed) ** 2) / (n * rest**4)
    return 1 - (1 - observed) / rest, np.sqrt(np.maximum(variance, 0.0)), expected
