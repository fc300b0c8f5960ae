"""Reliability: how far a model's probabilities can be taken at their word, with intervals.

Measured on rows that neither the model nor its temperature has seen; mending it is done in `calibration.py`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelloop.errors import InputError, NotEstimable

BINS: Final = 10
REPLICATES: Final = 1000


class Reliability(NamedTuple):
    """Expected calibration error and Brier score of n rows, each with its 95 % bootstrap interval."""

    ece: float
    ece_low: float
    ece_high: float
    brier: float
    brier_low: float
    brier_high: float
    n: int


def reliability(
    probabilities: NDArray[np.floating], truth: NDArray[np.integer], *, seed: int = 0, confidence: float = 0.95
) -> Reliability:
    """How far probabilities and outcomes lie apart, with intervals over resampled rows.

    Expected calibration error: mean over rows of |accuracy - mean confidence| of the row's bin, ten bins of equal
    width by the largest probability; in [0, 1] (Naeini et al., AAAI 2015). It is biased upwards on few rows, before
    and after alike. Brier score: mean squared distance to the outcome, sum_c (p_c - y_c)^2, in [0, 2] (Brier, 1950).
    Intervals: percentiles of 1,000 bootstrap replicates.

    Args:
        probabilities: (n, k).
        truth: (n,) columns of the true classes; -1 for a class the model does not know.
        seed: of the resampling.
        confidence: of the intervals.

    Raises:
        NotEstimable: there are no rows.
        InputError: the numbers of rows differ.

    >>> reliability(np.array([[0.8, 0.2]] * 5), np.array([0, 0, 0, 0, 1])).ece
    0.0
    """
    check_rows(probabilities, truth)
    n = len(truth)
    if not n:
        raise NotEstimable("there are no audit answers to measure reliability on", remedy="wait for some")
    rng = np.random.default_rng(seed)
    sure, squared = probabilities.max(axis=1), _squared_errors(probabilities, truth)
    gap = (probabilities.argmax(axis=1) == truth) - sure
    place = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    draws = [np.arange(n), *(rng.integers(n, size=n) for _ in range(REPLICATES))]
    ece = np.array([np.abs(np.bincount(place[d], weights=gap[d], minlength=BINS)).sum() / n for d in draws])
    brier = np.array([squared[d].mean() for d in draws])
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    (ece_low, ece_high), (low, high) = np.quantile(ece[1:], ends), np.quantile(brier[1:], ends)
    figures = [round(float(figure), 12) for figure in (ece[0], ece_low, ece_high, brier[0], low, high)]
    return Reliability(figures[0], figures[1], figures[2], figures[3], figures[4], figures[5], n)


def _squared_errors(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> NDArray[np.floating]:
    """Squared distance of each row to its outcome; of a class the model does not know, to none of its classes."""
    known = truth >= 0
    at_truth = probabilities[np.arange(len(truth)), np.where(known, truth, 0)]
    return np.asarray((probabilities**2).sum(axis=1) + 1 - 2 * at_truth * known)


def check_rows(probabilities: NDArray[np.floating], truth: NDArray[np.integer]) -> None:
    """Refuse probabilities that are no matrix with a row for each outcome.

    Raises:
        InputError: they are not.

    >>> check_rows(np.array([[0.5, 0.5]]), np.array([1]))
    """
    if probabilities.ndim != 2 or len(probabilities) != len(truth):
        raise InputError(
            f"probabilities of shape {probabilities.shape} for {len(truth)} outcomes", remedy="give one row for each"
        )
