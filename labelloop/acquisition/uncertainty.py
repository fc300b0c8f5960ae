"""Uncertainty scores of class probabilities (Settles, Active Learning Literature Survey, 2009, section 3.1).

Every function takes rows that passed `probabilities.screen`: (n, k), k >= 1; n may be 0.
A row with NaN scores NaN. Ties are left as they are: breaking them is the sampler's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.acquisition.blocks import in_blocks

Score = Callable[[NDArray[np.floating]], NDArray[np.floating]]


def least_confidence(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Probability that the best guess is wrong, one number in [0, 1 - 1/k] for each row.

    1 - max_c p(c). Source: Lewis and Gale, SIGIR 1994.

    >>> least_confidence(np.array([[0.75, 0.25], [1.0, 0.0]])).tolist()
    [0.25, 0.0]
    """
    return 1.0 - confidence(probabilities)


@in_blocks
def margin(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """How close the two best guesses are, one number in [0, 1] for each row; 1 is a tie.

    1 - (p1 - p2), p1 and p2 the largest and second largest probability. With one class p2 is 0.
    Source: Scheffer, Decomain and Wrobel, IDA 2001.

    >>> margin(np.array([[0.75, 0.25], [0.5, 0.5]])).tolist()
    [0.5, 1.0]
    """
    first, second = _two_largest(probabilities)
    return 1.0 - (first - second)


@in_blocks
def ratio(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Second largest probability over the largest, one number in [0, 1] for each row; 1 is a tie.

    p2 / p1; with one class p2 is 0. Source: the ratio of Settles' survey, turned so that higher is more doubtful.

    >>> ratio(np.array([[0.75, 0.25], [0.5, 0.5]])).round(3).tolist()
    [0.333, 1.0]
    """
    first, second = _two_largest(probabilities)
    return np.asarray(second / first)


@in_blocks
def entropy(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Shannon entropy in nats, one number in [0, ln k] for each row.

    -sum_c p(c) ln p(c), with 0 ln 0 = 0. Source: Shannon, 1948.

    >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]])).round(3).tolist()
    [0.0, 0.693]
    """
    smallest = np.finfo(probabilities.dtype).tiny  # 0 x ln(tiny) is 0; 0 - 0 has no sign
    return np.asarray(0.0 - (probabilities * np.log(np.maximum(probabilities, smallest))).sum(axis=1))


@in_blocks
def confidence(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Largest probability, one number in [1/k, 1] for each row: the queue key of Label Studio.

    Label Studio serves ascending, so the least confident row comes first.

    >>> confidence(np.array([[0.75, 0.25]])).tolist()
    [0.75]
    """
    return np.asarray(probabilities.max(axis=1))


def _two_largest(probabilities: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Largest and second largest of each row, the second 0 where there is one class; NaN where the row has any."""
    first = probabilities[:, 0].copy()
    second = np.zeros_like(first)
    for column in probabilities.T[1:]:
        np.maximum(second, np.minimum(first, column), out=second)
        np.maximum(first, column, out=first)
    return first, second


SCORES: Final[Mapping[str, Score]] = MappingProxyType(
    {"least_confidence": least_confidence, "margin": margin, "entropy": entropy, "ratio": ratio}
)
