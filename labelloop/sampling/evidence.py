"""What the last exploited batch taught, against as many labels drawn at random: by paired refits, on audit units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from labelloop.errors import NotEstimable
from labelloop.retrain import fit

REFITS: Final = 50  # pairs; the interval is that of their spread
FEWEST: Final = 5  # labels of either kind, and audit units, below which there is nothing to compare
POWER: Final = 0.8


class Gain(NamedTuple):
    """By how much more exploited labels raised accuracy on n audit units than random ones, with its 95 % interval.

    `strategy` chose the exploited. Whatever `detectable` is, a true difference of that size would have shown (had its
    interval without 0) in four of five rounds like this one.
    """

    strategy: str
    difference: float
    low: float
    high: float
    n: int

    @property
    def detectable(self) -> float:
        """The difference that would be found with a power of 80 %: (z_0.975 + z_0.8) standard errors."""
        error = (self.high - self.low) / (2 * norm.ppf(0.975))
        return float((norm.ppf(0.975) + norm.ppf(POWER)) * error)

    @property
    def harmful(self) -> bool:
        """Whether there is evidence that random labels would have taught more."""
        return self.high < 0

    def __str__(self) -> str:
        return (
            f"the last {self.strategy} batch gained {self.difference:+.3f} [{self.low:+.3f}, {self.high:+.3f}] over "
            f"random labels on {self.n} audit units, {self.detectable:.3f} would have shown"
        )


class Labelled(NamedTuple):
    """Features (n, d) and labels of n rows."""

    features: NDArray[np.floating]
    labels: Sequence[str]


def exploit_gain(
    strategy: str, *, before: Labelled, exploited: Labelled, explored: Labelled, audit: Labelled, seed: int
) -> Gain:
    """What the exploited labels of a round added to accuracy beyond as many of its random ones.

    In each of 50 pairs two models learn from all labels of earlier rounds and m more: exploited ones in one, random
    ones in the other, m being the smaller number there is of either. The m are drawn anew for each pair, and then
    resampled; both models answer the same resampled audit units. The interval, mean -+ 1.96 standard deviations over
    the pairs, holds the chance in all three draws (Efron and Tibshirani, An Introduction to the Bootstrap, 1993).

    Args:
        strategy: that exploited.
        before: labels of earlier rounds; may be none.
        exploited: labels of the round that the strategy chose.
        explored: labels of the round that were drawn at random.
        audit: audit units, never trained on.
        seed: of the draws and of the solver.

    Raises:
        NotEstimable: fewer than 5 exploited, explored or audit rows, or never two classes to learn from.
    """
    least = min(("exploited labels", exploited), ("random labels", explored), ("audit answers", audit), key=_size)
    if _size(least) < FEWEST:
        raise NotEstimable(
            f"{_size(least)} {least[0]} are too few to compare strategies by", remedy="wait for more rounds"
        )
    rng = np.random.default_rng(seed)
    m = min(len(exploited.labels), len(explored.labels))
    truth, differences = np.array(audit.labels, dtype=str), []
    for _ in range(REFITS):
        asked = rng.integers(len(truth), size=len(truth))
        right = [_right(before, _some(more, m, rng), audit, truth, seed) for more in (exploited, explored)]
        if right[0] is not None and right[1] is not None:
            differences.append(float(right[0][asked].mean() - right[1][asked].mean()))
    if len(differences) < REFITS // 2:
        raise NotEstimable("there are not yet two classes to learn from", remedy="wait for more labels")
    mean, half = float(np.mean(differences)), float(norm.ppf(0.975) * np.std(differences, ddof=1))
    return Gain(strategy, mean, mean - half, mean + half, len(truth))


def _size(rows: tuple[str, Labelled]) -> int:
    return len(rows[1].labels)


def _some(rows: Labelled, m: int, rng: np.random.Generator) -> Labelled:
    drawn = rng.permutation(len(rows.labels))[:m][rng.integers(m, size=m)]
    return Labelled(rows.features[drawn], [rows.labels[row] for row in drawn])


def _right(
    before: Labelled, more: Labelled, audit: Labelled, truth: NDArray[np.str_], seed: int
) -> NDArray[np.bool_] | None:
    """Which audit rows a model of these labels gets right; None where it has one class to learn from."""
    labels = [*before.labels, *more.labels]
    if len(set(labels)) < 2:
        return None
    features = np.concatenate([before.features, more.features]) if len(before.labels) else more.features
    right: NDArray[np.bool_] = fit(features, labels, seed=seed).predict(audit.features) == truth
    return right
