"""Brennan and Prediger's coefficient: chance is that of annotators who choose every category equally often."""

from __future__ import annotations

import numpy as np

from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.percent import observed_disagreement
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import Scale, kind_of, similarity
from labelloop.errors import NotEstimable


def brennan_prediger(patterns: Patterns, scale: Scale) -> Disagreement:
    """1 - observed / expected disagreement, expected from equal shares (Brennan and Prediger 1981).

    Near misses count by the weights of the level (Gwet 2014, chapter 4). The number of categories counts: declare
    them all when some were never chosen.
    """
    if patterns.n_categories < 2:
        raise NotEstimable("every rating has the same value: declare the categories that could be chosen")
    alike = similarity(scale, kind_of(scale))
    observed = observed_disagreement(patterns, alike)
    expected = 1.0 - float(alike.mean())

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        return observed(weights), np.full(len(weights), expected)

    return disagreement
