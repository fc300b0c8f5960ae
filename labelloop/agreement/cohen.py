"""Cohen's kappa, plain and weighted: two annotators, each with their own habit of using the categories."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.similarity import Scale, similarity
from labelloop.errors import NotEstimable


def cohen_kappa(patterns: Patterns, scale: Scale) -> Disagreement:
    """1 - observed / expected disagreement of two annotators, expected from the margins of each (Cohen 1960).

    Between -1 and 1; 0 is what independent annotators with these margins reach.
    """
    return _kappa(patterns, scale, "none")


def cohen_kappa_linear(patterns: Patterns, scale: Scale) -> Disagreement:
    """Weighted kappa: a miss costs the number of categories between the two answers (Cohen 1968)."""
    return _kappa(patterns, scale, "linear")


def cohen_kappa_quadratic(patterns: Patterns, scale: Scale) -> Disagreement:
    """Weighted kappa: a miss costs the squared number of categories between (Fleiss and Cohen 1973)."""
    return _kappa(patterns, scale, "quadratic")


def _kappa(patterns: Patterns, scale: Scale, kind: str) -> Disagreement:
    if patterns.pair is None:
        raise NotEstimable("Cohen's kappa compares two annotators; compare pairs, or use fleiss_kappa for all")
    if kind != "none" and not scale.ordered:
        raise NotEstimable("a weighted kappa needs ordered values: numbers, or categories given in order")
    alike = similarity(scale, kind)
    first, second = patterns.pair
    miss = 1.0 - alike[first, second]
    by_first, by_second = _indicator(first, scale.n_categories), _indicator(second, scale.n_categories)

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        total = weights.sum(axis=1)
        margins = (weights @ by_first) / total[:, None], (weights @ by_second) / total[:, None]
        expected = 1.0 - ((margins[0] @ alike) * margins[1]).sum(axis=1)
        return (weights @ miss) / total, expected

    return disagreement


def _indicator(category: IntArray, n_categories: int) -> sparse.csr_array:
    rows = np.arange(len(category))
    return sparse.csr_array((np.ones(len(category)), (rows, category)), shape=(len(category), n_categories))
