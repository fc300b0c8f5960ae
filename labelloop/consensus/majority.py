"""Majority vote: every annotator counts the same, the share of the votes is the confidence."""

from __future__ import annotations

from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.consensus.posterior import Posterior, Settings, prior_of, skill_by_vote, votes_of, weighted_votes


def majority(ratings: Ratings, known: IntArray, settings: Settings) -> Posterior:
    """Vote shares of each unit as probabilities; ties stay ties, two classes with the same share.

    Where ties are to be broken, that class is taken whose voters agree with the vote more often elsewhere: the most
    frequent class would be that of whoever always presses the same button. `known` is the class ruled by an expert,
    -1 without a ruling. There is nothing to set.
    """
    del settings
    votes = votes_of(ratings, known)
    skill = skill_by_vote(ratings, votes)[ratings.annotator]
    return Posterior(votes, prior_of(votes), support=weighted_votes(ratings, skill))
