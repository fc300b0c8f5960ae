"""Intervals: how far a figure could lie from the truth, given which units happened to be drawn.

Units, or whole groups of them, are resampled; annotators are not: an interval speaks of other units judged by these
annotators. Proportions have closed forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from scipy.stats import norm

from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.errors import InputError, NotEstimable

CELLS = 4_000_000  # of the weights held at once: 32 MB
ROUNDING = 1e-12  # a disagreement below it is none


class PrecisionSettings(TypedDict, total=False):
    """The fields of `Precision` as keyword arguments."""

    seed: int
    n_boot: int
    confidence: float
    n_min: int


@dataclass(frozen=True)
class Precision:
    """How intervals are computed.

    Args:
        seed: of the bootstrap; same seed, same interval.
        n_boot: number of bootstrap replicates.
        confidence: of the interval, between 0 and 1.
        n_min: with fewer comparable units a reason takes the place of the figure.
    """

    seed: int = 0
    n_boot: int = 1000
    confidence: float = 0.95
    n_min: int = 5

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise InputError(f"the seed is {self.seed}", remedy="give a whole number from 0")
        if self.n_boot < 1:
            raise InputError(f"n_boot is {self.n_boot}", remedy="give a number of replicates from 1")
        if self.n_min < 1:
            raise InputError(f"n_min is {self.n_min}", remedy="give a number of units from 1")
        if not 0 < self.confidence < 1:
            raise InputError(f"confidence is {self.confidence}", remedy="give a number between 0 and 1")

    @property
    def settings(self) -> PrecisionSettings:
        """The same as keyword arguments."""
        return {"seed": self.seed, "n_boot": self.n_boot, "confidence": self.confidence, "n_min": self.n_min}


def coefficient(disagreement: tuple[FloatArray, FloatArray]) -> FloatArray:
    """1 - observed / expected; NaN where nothing is expected, since then there is no chance to correct for."""
    observed, expected = disagreement
    return np.asarray(1.0 - observed / np.where(expected > ROUNDING, expected, np.nan))


def bootstrap(estimate: Disagreement, patterns: Patterns, precision: Precision) -> tuple[float, float]:
    """Percentile interval over resampled units or clusters (Efron and Tibshirani 1993); same seed, same interval.

    Replicates without the figure (one category left, no pair left) are left out. Resampling shows no variation when
    no unit disagrees, or all do: the end inside the scale then allows for the share of units that may be otherwise.

    Raises:
        NotEstimable: no replicate has the figure.
    """
    observed, expected = (float(part[0]) for part in estimate(patterns.frequency[None, :]))
    unseen = unseen_share(patterns.n_independent, precision.confidence)
    if observed < ROUNDING:
        return max(1.0 - unseen / expected, -1.0), 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = np.concatenate([coefficient(estimate(draw)) for draw in _draws(patterns, precision)])
    if np.isnan(replicates).all():
        raise NotEstimable("no resampling of so few units has a figure")
    tail = (1.0 - precision.confidence) / 2.0
    low, high = np.nanquantile(replicates, [tail, 1.0 - tail])
    if high - low < ROUNDING:
        high = 1.0 - observed * (1.0 - unseen) / expected
    return float(low), float(high)


def percentiles(values: FloatArray, group: IntArray | None, precision: Precision) -> tuple[float, float]:
    """Percentile interval of the mean of one value per unit, over resampled units or groups of them."""
    return percentiles_of_ratio(values, np.ones(len(values)), precision, group)


def percentiles_of_ratio(
    total: FloatArray, size: FloatArray, precision: Precision, group: IntArray | None = None
) -> tuple[float, float]:
    """Percentile interval of sum(total) / sum(size) over resampled places, or groups of them."""
    if group is not None:
        names = np.unique(group, return_inverse=True)[1]
        total, size = (np.bincount(names, weights=part).astype(np.float64) for part in (total, size))
    return percentiles_of_sums(np.column_stack([total, size]), lambda sums: sums[:, 0] / sums[:, 1], precision)


def percentiles_of_sums(
    rows: FloatArray, statistic: Callable[[FloatArray], FloatArray], precision: Precision
) -> tuple[float, float]:
    """Percentile interval of a statistic of the sums of each column over resampled rows; NaN where there is none.

    Args:
        rows: (places, columns).
        statistic: from sums, (replicates, columns), to one number per replicate.
        precision: of the interval.
    """
    rng, at_once = np.random.default_rng(precision.seed), max(1, CELLS // len(rows))
    starts = range(0, precision.n_boot, at_once)
    draws = (_counts_of_draws(rng, min(at_once, precision.n_boot - start), len(rows)) for start in starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        replicates = np.concatenate([statistic(draw @ rows) for draw in draws])
    tail = (1.0 - precision.confidence) / 2.0
    low, high = np.nanquantile(replicates, [tail, 1.0 - tail])
    return float(low), float(high)


def unseen_share(n: int, confidence: float) -> float:
    """Largest share of units that may be otherwise though `n` units are all alike (Clopper and Pearson 1934).

    >>> round(unseen_share(100, 0.95), 3)
    0.036
    """
    return float(1.0 - ((1.0 - confidence) / 2.0) ** (1.0 / n))


def _draws(patterns: Patterns, precision: Precision) -> Iterator[FloatArray]:
    """Weights of the patterns in each replicate, (replicates, patterns), a bounded number of replicates at a time."""
    rng = np.random.default_rng(precision.seed)
    n_independent = int(patterns.frequency.sum()) if patterns.clusters is None else patterns.clusters.shape[0]
    at_once = max(1, CELLS // max(n_independent, 1))
    few = patterns.clusters is None and len(patterns.frequency) * 10 <= n_independent
    if few:
        at_once = max(1, CELLS // len(patterns.frequency))
    for start in range(0, precision.n_boot, at_once):
        size = min(at_once, precision.n_boot - start)
        if few:
            share = patterns.frequency / n_independent
            yield rng.multinomial(n_independent, share, size=size).astype(np.float64)
        else:
            yield _weights(patterns, _counts_of_draws(rng, size, n_independent))


def _counts_of_draws(rng: np.random.Generator, size: int, n: int) -> FloatArray:
    """How often each of n things is drawn in n draws with replacement, (size, n)."""
    drawn = rng.integers(n, size=(size, n)) + np.arange(size)[:, None] * n
    return np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _weights(patterns: Patterns, draws: FloatArray) -> FloatArray:
    if patterns.clusters is not None:
        return np.asarray(draws @ patterns.clusters)
    starts = np.concatenate([[0], np.cumsum(patterns.frequency)[:-1]]).astype(np.int64)
    return np.asarray(np.add.reduceat(draws, starts, axis=1))


def wilson(successes: float, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion (Wilson 1927), within 0..1 also at 0 and at n successes.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if n < 1:
        raise InputError(f"a proportion of {n} cases has no interval", remedy="give at least one case")
    z = float(norm.ppf(0.5 + confidence / 2.0))
    share, width = successes / n, z**2 / n
    centre = (share + width / 2.0) / (1.0 + width)
    half = np.sqrt(width * (share * (1.0 - share) + width / 4.0)) / (1.0 + width)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def newcombe(first: tuple[float, int], second: tuple[float, int], confidence: float = 0.95) -> tuple[float, float]:
    """Interval of the difference of two independent proportions (Newcombe 1998, method 10): first minus second.

    Each is (successes, n).

    >>> [round(end, 4) for end in newcombe((56, 70), (48, 80))]
    [0.0524, 0.3339]
    """
    p, q = first[0] / first[1], second[0] / second[1]
    (p_low, p_high), (q_low, q_high) = wilson(*first, confidence), wilson(*second, confidence)
    low = p - q - np.hypot(p - p_low, q_high - q)
    return float(low), float(p - q + np.hypot(p_high - p, q - q_low))
