"""Scores of a committee: several models, or several stochastic passes of one, about the same reference.

Every function takes (n, S, k): S distributions over k classes for each of n rows, S >= 1; n may be 0. A row with NaN
scores NaN. Scores of a single distribution are in `uncertainty.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.acquisition.uncertainty import entropy

CommitteeScore = Callable[[NDArray[np.floating]], NDArray[np.floating]]


def bald(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mutual information of label and model in nats, one number in [0, ln min(S, k)] for each row.

    H(mean_s p_s) - mean_s H(p_s): doubt the members do not share. Noise they all see scores 0.
    Source: Houlsby, Huszar, Ghahramani and Lengyel, 2011; with dropout, Gal, Islam and Ghahramani, ICML 2017.

    >>> bald(np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]]])).round(3).tolist()
    [0.693, 0.0]
    """
    shared = _entropies(committee).mean(axis=1)
    return np.asarray(np.maximum(entropy(committee.mean(axis=1)) - shared, 0.0))


def consensus_kl(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean Kullback-Leibler divergence of the members from their mean, in nats; the same number as `bald`.

    mean_s sum_c p_s(c) ln(p_s(c) / mean p(c)) = H(mean p) - mean_s H(p_s). Source: McCallum and Nigam, ICML 1998.

    >>> consensus_kl(np.array([[[1.0, 0.0], [0.0, 1.0]]])).round(3).tolist()
    [0.693]
    """
    return bald(committee)


def vote_entropy(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    """Entropy of the members' votes in nats, one number in [0, ln min(S, k)] for each row.

    -sum_c v(c) ln v(c), v(c) the share of members whose most probable class is c; of equally probable
    classes the first gets the vote. Source: Dagan and Engelson, ICML 1995.

    >>> vote_entropy(np.array([[[0.9, 0.1], [0.2, 0.8]]])).round(3).tolist()
    [0.693]
    """
    return entropy(_votes(committee))


def variation_ratio(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    """Share of members that do not vote for the class most vote for, in [0, 1 - 1/min(S, k)] for each row.

    1 - max_c v(c), votes as in `vote_entropy`. Source: Freeman, Elementary Applied Statistics, 1965.

    >>> variation_ratio(np.array([[[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]])).round(3).tolist()
    [0.333]
    """
    return np.asarray(1.0 - _votes(committee).max(axis=1))


COMMITTEE_SCORES: Final[Mapping[str, CommitteeScore]] = MappingProxyType(
    {"bald": bald, "consensus_kl": consensus_kl, "vote_entropy": vote_entropy, "variation_ratio": variation_ratio}
)


def _entropies(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    n, members, classes = committee.shape
    return entropy(committee.reshape(n * members, classes)).reshape(n, members)


def _votes(committee: NDArray[np.floating]) -> NDArray[np.floating]:
    """Share of the members that vote for each class, (n, k); NaN where a member says nothing."""
    n, members, classes = committee.shape
    cast = committee.argmax(axis=2)
    cells = np.arange(n)[:, None] * classes + cast
    votes = np.bincount(cells.ravel(), minlength=n * classes).reshape(n, classes) / members
    votes[np.isnan(committee).any(axis=(1, 2))] = np.nan
    return votes
