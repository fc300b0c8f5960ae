"""Gwet's AC1 and AC2: chance-corrected agreement that stays stable when one category prevails."""

from __future__ import annotations

from labelloop.agreement.fleiss import category_shares
from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.percent import observed_disagreement
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import Scale, kind_of, similarity
from labelloop.errors import NotEstimable


def gwet_ac1(patterns: Patterns, scale: Scale) -> Disagreement:
    """AC1: chance agreement is that of annotators who guess on some of the units (Gwet 2008); level ignored.

    The number of categories counts: declare them all when some were never chosen.
    """
    return _coefficient(patterns, similarity(scale, "none"))


def gwet_ac2(patterns: Patterns, scale: Scale) -> Disagreement:
    """AC2: AC1 with credit for near misses by the weights of the level (Gwet 2014, chapter 5); nominal: AC1."""
    return _coefficient(patterns, similarity(scale, kind_of(scale)))


def _coefficient(patterns: Patterns, alike: FloatArray) -> Disagreement:
    """Chance agreement: sum(weights) / (q (q - 1)) * sum(share (1 - share)) over the q categories."""
    n_categories = patterns.n_categories
    if n_categories < 2:
        raise NotEstimable("every rating has the same value: declare the categories that could be chosen")
    observed, shares = observed_disagreement(patterns, alike), category_shares(patterns)
    factor = alike.sum() / (n_categories * (n_categories - 1))

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        share = shares(weights)
        return observed(weights), 1.0 - factor * (share * (1.0 - share)).sum(axis=1)

    return disagreement
