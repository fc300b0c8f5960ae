"""Disagreement of two models: about the class of a reference, or about the order of a pair.

Committees of any size, whose members speak of single references, are in `committee.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from labelloop.acquisition.committee import bald


def jensen_shannon(first: NDArray[np.floating], second: NDArray[np.floating]) -> NDArray[np.floating]:
    """Jensen-Shannon divergence of two models in nats, one number in [0, ln 2] for each row of (n, k).

    H((p + q) / 2) - (H(p) + H(q)) / 2. Symmetric; 0 where they say the same. Source: Lin, 1991.

    >>> jensen_shannon(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])).round(3).tolist()
    [0.693]
    """
    return bald(np.stack([first, second], axis=1))


def pair_disagreement(
    first: NDArray[np.floating], second: NDArray[np.floating], pairs: NDArray[np.integer]
) -> NDArray[np.floating]:
    """How differently two models order each pair, one number in [0, 1).

    |P1(a before b) - P2(a before b)| with P(a before b) = 1 / (1 + exp(s_b - s_a)), s the model's strength of an item
    on a log scale (Bradley and Terry, 1952). The order within a pair does not matter.

    Args:
        first: strength of each of n items by one model.
        second: the same by another.
        pairs: (m, 2) indices of items.

    >>> pair_disagreement(np.array([0.0, 9.0]), np.array([9.0, 0.0]), np.array([[0, 1]])).round(3).tolist()
    [1.0]
    """
    left, right = pairs[:, 0], pairs[:, 1]
    return np.asarray(np.abs(expit(first[left] - first[right]) - expit(second[left] - second[right])))
