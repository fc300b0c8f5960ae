"""The median vote, for classes in an order: a far answer counts no more than a near one."""

from __future__ import annotations

import numpy as np

from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.consensus.posterior import TIE, Posterior, Settings, prior_of, votes_of
from labelloop.errors import InputError


def median(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Vote shares as probabilities, the median as the choice; two middle answers that differ are a tie.

    `known` is the class ruled by an expert, -1 without a ruling. There is nothing to set.

    Raises:
        InputError: the values have no order.
    """
    del settings
    if not ratings.ordered and len(ratings.values):
        raise InputError("a median needs an order", remedy="give numbers, or declare the categories in order")
    votes = votes_of(ratings, known)
    below = votes.cumsum(axis=1)
    lower, upper = (below < 0.5 - TIE).sum(axis=1), (below <= 0.5 + TIE).sum(axis=1)
    place = np.arange(votes.shape[1])
    middle = (place == lower[:, None]) | (place == upper[:, None])
    return Posterior(votes, prior_of(votes), middle=middle)
