"""Fleiss' kappa: any number of annotators who share one habit of using the categories."""

from __future__ import annotations

import numpy as np

from labelloop.agreement.patterns import Disagreement, Patterns, PerReplicate
from labelloop.agreement.percent import observed_disagreement
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import Scale


def fleiss_kappa(patterns: Patterns, scale: Scale) -> Disagreement:
    """1 - observed / expected disagreement, expected from the shares of the categories (Fleiss 1971).

    Numbers of ratings may differ between units (Gwet 2014, chapter 2): shares are averaged over all units, single
    ratings included, agreement over units with two ratings or more. The level is ignored. Between -1 and 1.
    """
    del scale
    observed, shares = observed_disagreement(patterns), category_shares(patterns)
    return lambda weights: (observed(weights), 1.0 - (shares(weights) ** 2).sum(axis=1))


def category_shares(patterns: Patterns) -> PerReplicate:
    """Mean share of each category in the ratings of a unit, (replicates, categories); rows sum to 1."""
    share = patterns.counts.multiply(1.0 / patterns.size[:, None]).tocsr()

    def shares(weights: FloatArray) -> FloatArray:
        return np.asarray((weights @ share) / weights.sum(axis=1, keepdims=True))

    return shares
