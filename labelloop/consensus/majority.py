"""Majority vote: every annotator counts the same, the share of the votes is the confidence."""

from __future__ import annotations

from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.consensus.posterior import Posterior, Settings, prior_of, votes_of


def majority(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Vote shares of each unit as probabilities; ties stay ties, two classes with the same share.

    `known` is the class ruled by an expert, -1 without a ruling. There is nothing to set.
    """
    del settings
    votes = votes_of(ratings, known)
    return Posterior(votes, prior_of(votes))
