"""Scores of multi-label predictions: one probability for each label, independent of the others.

Every function takes (n, k) numbers in [0, 1] that need not sum to one, k >= 1; n may be 0. A row with NaN scores NaN.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr


def label_entropy(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean entropy of the labels in nats, one number in [0, ln 2] for each row.

    mean_l -(p_l ln p_l + (1 - p_l) ln(1 - p_l)); the mean does not grow with the number of labels.
    Source: Shannon, 1948, for each label as a coin.

    >>> label_entropy(np.array([[0.5, 1.0]])).round(3).tolist()
    [0.347]
    """
    return np.asarray((entr(probabilities) + entr(1.0 - probabilities)).mean(axis=1))


def binary_minimum(probabilities: NDArray[np.floating]) -> NDArray[np.floating]:
    """How close the most doubtful label is to a coin toss, one number in [0, 1] for each row.

    max_l 1 - |2 p_l - 1|. Source: Brinker, On Active Learning in Multi-label Classification, 2006.

    >>> binary_minimum(np.array([[0.5, 1.0], [0.75, 0.0]])).tolist()
    [1.0, 0.5]
    """
    return np.asarray((1.0 - np.abs(2.0 * probabilities - 1.0)).max(axis=1))
