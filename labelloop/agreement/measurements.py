"""Agreement of annotators who give numbers: intraclass correlation, and the mean difference in the numbers' own unit.

These are no `1 - observed / expected disagreement` over categories, so each brings its own interval.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from scipy.stats import f as f_distribution

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, percentiles
from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import FloatArray, Ratings
from labelloop.agreement.similarity import Scale
from labelloop.errors import NotEstimable


class _Estimate(NamedTuple):
    value: float
    low: float
    high: float
    n_units: int
    n_annotators: int
    n_ratings: int


@dataclass(frozen=True)
class _MeanSquares:
    """Two-way analysis of variance of n units by k annotators: units, annotators, and what is left."""

    n: int
    k: int
    units: float
    annotators: float
    rest: float


def number_figure(name: str, ratings: Ratings, scale: Scale, precision: Precision) -> Figure:
    """The figure of one metric of `OF_NUMBERS`, or the reason why there is none."""
    try:
        found = OF_NUMBERS[name](ratings, _numbers(scale), precision)
    except NotEstimable as error:
        return Figure(name, scale.level, reason=str(error))
    return Figure(name, scale.level, *found)


def icc_single(ratings: Ratings, numbers: FloatArray, precision: Precision) -> _Estimate:
    """ICC(2,1): share of the variance that units explain in one annotator's number; absolute agreement.

    Annotators are a random draw, so that a constant offset of one counts against it. Source: Shrout and Fleiss
    (1979); interval: McGraw and Wong (1996), exact up to the degrees of freedom.
    """
    table = _complete(ratings, numbers, precision)
    value, low, high = _icc(_mean_squares(table), precision.confidence)
    return _Estimate(value, low, high, *_extent(table))


def icc_average(ratings: Ratings, numbers: FloatArray, precision: Precision) -> _Estimate:
    """ICC(2,k): the same for the mean of the k annotators (Shrout and Fleiss 1979).

    By Spearman and Brown: k r / (1 + (k - 1) r) of ICC(2,1) and of the ends of its interval.
    """
    table = _complete(ratings, numbers, precision)
    k = table.shape[1]
    value, low, high = (k * r / (1.0 + (k - 1.0) * r) for r in _icc(_mean_squares(table), precision.confidence))
    return _Estimate(value, low, high, *_extent(table))


def mean_absolute_difference(ratings: Ratings, numbers: FloatArray, precision: Precision) -> _Estimate:
    """Mean over units of |difference| of each two annotators, in the unit of the numbers; 0 is perfect.

    Not corrected for chance. Percentile interval over resampled units, or groups of them.
    """
    pairs = pairs_of(ratings)
    apart = np.abs(numbers[ratings.value[pairs.first]] - numbers[ratings.value[pairs.second]])
    n_pairs = np.bincount(pairs.unit, minlength=len(ratings.units))
    shared = np.flatnonzero(n_pairs)
    _refuse_too_few(len(shared), precision)
    mean = np.bincount(pairs.unit, weights=apart, minlength=len(ratings.units))[shared] / n_pairs[shared]
    low, high = percentiles(mean, None if ratings.group is None else ratings.group[shared], precision)
    several = ratings.per_unit[ratings.unit] >= 2
    n_annotators = len(np.unique(ratings.annotator[several]))
    return _Estimate(float(mean.mean()), low, high, len(shared), n_annotators, int(several.sum()))


OF_NUMBERS: Final[Mapping[str, Callable[[Ratings, FloatArray, Precision], _Estimate]]] = MappingProxyType(
    {"icc_2_1": icc_single, "icc_2_k": icc_average, "mean_absolute_difference": mean_absolute_difference}
)


def _numbers(scale: Scale) -> FloatArray:
    if scale.numbers is None:
        raise NotEstimable("differences need numbers: measure at level interval or ratio")
    return scale.numbers


def _complete(ratings: Ratings, numbers: FloatArray, precision: Precision) -> FloatArray:
    """Numbers of the units that every annotator rated, units x annotators."""
    if ratings.group is not None:
        raise NotEstimable("the intraclass correlation knows no groups of units; measure krippendorff_alpha")
    k = len(np.unique(ratings.annotator))
    whole = (ratings.per_unit == k)[ratings.unit]
    _refuse_too_few(int(whole.sum()) // max(k, 1), precision, "units that all annotators rated")
    return np.asarray(numbers[ratings.value[whole]].reshape(-1, k))


def _refuse_too_few(n_units: int, precision: Precision, what: str = "units rated by two annotators or more") -> None:
    if n_units < max(precision.n_min, 2):
        raise NotEstimable(f"{what}: {n_units}, fewer than {max(precision.n_min, 2)}")


def _mean_squares(table: FloatArray) -> _MeanSquares:
    n, k = table.shape
    centred = table - table.mean()
    units = k * float((centred.mean(axis=1) ** 2).sum())
    annotators = n * float((centred.mean(axis=0) ** 2).sum())
    rest = max(float((centred**2).sum()) - units - annotators, 0.0)
    if not units + annotators + rest:
        raise NotEstimable("every rating has the same value")
    return _MeanSquares(n, k, units / (n - 1), annotators / (k - 1), rest / ((n - 1) * (k - 1)))


def _icc(ms: _MeanSquares, confidence: float) -> tuple[float, float, float]:
    n, k = ms.n, ms.k
    r = (ms.units - ms.rest) / (ms.units + (k - 1) * ms.rest + k * (ms.annotators - ms.rest) / n)
    if not ms.rest:
        return r, r, r  # annotators differ by constants alone: nothing is left that could vary
    a, b = k * r / (n * (1 - r)), 1 + k * r * (n - 1) / (n * (1 - r))
    spread = (a * ms.annotators) ** 2 / (k - 1) + (b * ms.rest) ** 2 / ((n - 1) * (k - 1))
    freedom = (a * ms.annotators + b * ms.rest) ** 2 / spread
    other = k * ms.annotators + (k * n - k - n) * ms.rest
    lower, upper = (f_distribution.ppf(0.5 + confidence / 2, *df) for df in ((n - 1, freedom), (freedom, n - 1)))
    low = n * (ms.units - lower * ms.rest) / (lower * other + n * ms.units)
    high = n * (upper * ms.units - ms.rest) / (other + n * upper * ms.units)
    return r, float(low), float(high)


def _extent(table: FloatArray) -> tuple[int, int, int]:
    return table.shape[0], table.shape[1], table.size
