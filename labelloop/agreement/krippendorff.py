"""Krippendorff's alpha at four levels of measurement: any number of annotators, missing answers allowed.

Only pairable values count: those of units with at least two ratings. Source: Krippendorff (2011), "Computing
Krippendorff's Alpha-Reliability"; a unit of m ratings brings each of its pairs with weight 1 / (m - 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from labelloop.agreement.patterns import Disagreement, Patterns
from labelloop.agreement.ratings import FloatArray
from labelloop.agreement.similarity import (
    MOST_CATEGORIES,
    Scale,
    distances_of_sets,
    squared_relative_difference,
)
from labelloop.errors import NotEstimable

CELLS = 4_000_000  # of patterns by categories at once: 32 MB


def krippendorff_alpha(patterns: Patterns, scale: Scale) -> Disagreement:
    """1 - observed / expected disagreement of pairable values; 1 is perfect, 0 is chance, below is systematic.

    Nominal: 0 or 1 per pair; ordinal: squared difference of mid-ranks; interval: squared difference; ratio:
    squared difference relative to the sum; sets and texts: the distance of the level.
    """
    counts = patterns.counts.multiply(patterns.pairable[:, None].astype(np.float64)).tocsr()
    if scale.level == "nominal":
        return _nominal(counts)
    if scale.level == "ratio":
        return _by_table(counts, _ratio(scale))
    if scale.apart is not None:
        return _by_table(counts, distances_of_sets(scale))
    if scale.level == "ordinal":
        return _ordinal(counts)
    return _interval(counts, scale)


def _size(counts: Any) -> FloatArray:
    return np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()


def _pair_weight(counts: Any) -> FloatArray:
    return 1.0 / np.maximum(_size(counts) - 1.0, 1.0)


def _per_pair(total: FloatArray) -> FloatArray:
    """Number of ordered pairs of values, n (n - 1); NaN where there is none."""
    return np.where(total > 1, total * (total - 1.0), np.nan)


def _nominal(counts: Any) -> Disagreement:
    size = _size(counts)
    apart = (size**2 - _size(counts * counts)) * _pair_weight(counts)

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        margin = np.asarray(weights @ counts)
        total = margin.sum(axis=1)
        return (weights @ apart) / total, (total**2 - (margin**2).sum(axis=1)) / _per_pair(total)

    return disagreement


def _interval(counts: Any, scale: Scale) -> Disagreement:
    """Sums of values and squares are enough; values scaled to 0..1 and centred keep them exact."""
    numbers = np.zeros(scale.n_categories) if scale.numbers is None else scale.numbers
    used = numbers[_size(counts.T) > 0]
    spread = np.ptp(used) if used.size else 0.0
    score = (numbers - (used.mean() if used.size else 0.0)) / (spread or 1.0)
    size, total, squares = _size(counts), counts @ score, counts @ score**2
    apart = 2.0 * (size * squares - total**2) * _pair_weight(counts)
    sums = np.column_stack([apart, size, total, squares])

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        apart, n, total, squares = (weights @ sums).T
        return apart / n, 2.0 * (n * squares - total**2) / _per_pair(n)

    return disagreement


def _ordinal(counts: Any) -> Disagreement:
    """The interval case on mid-ranks, which each replicate has of its own; scaled to 0..1 and centred."""
    size, pair_weight = _size(counts), _pair_weight(counts)

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        margin = np.asarray(weights @ counts)
        n = margin.sum(axis=1)
        rank = (np.cumsum(margin, axis=1) - margin / 2.0) / n[:, None] - 0.5
        total, squares = counts @ rank.T, counts @ (rank**2).T
        apart = 2.0 * (size[:, None] * squares - total**2) * pair_weight[:, None]
        observed = np.einsum("bp,pb->b", weights, apart) / n
        expected = 2.0 * (n * (margin * rank**2).sum(axis=1) - (margin * rank).sum(axis=1) ** 2)
        return observed, expected / _per_pair(n)

    return disagreement


def _ratio(scale: Scale) -> FloatArray:
    if scale.n_categories > MOST_CATEGORIES:
        raise NotEstimable(f"{scale.n_categories} different values are more than {MOST_CATEGORIES}; round them first")
    return squared_relative_difference(scale)


def _by_table(counts: Any, apart_by_value: FloatArray) -> Disagreement:
    """The general case: a distance for each two categories."""
    at_once = max(1, CELLS // max(len(apart_by_value), 1))
    blocks = (counts[start : start + at_once] for start in range(0, counts.shape[0], at_once))
    within = [np.asarray((block * (block @ apart_by_value)).sum(axis=1)).ravel() for block in blocks]
    apart = np.concatenate([np.empty(0), *within]) * _pair_weight(counts)

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        margin = np.asarray(weights @ counts)
        total = margin.sum(axis=1)
        return (weights @ apart) / total, ((margin @ apart_by_value) * margin).sum(axis=1) / _per_pair(total)

    return disagreement
