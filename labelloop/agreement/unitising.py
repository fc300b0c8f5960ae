"""Krippendorff's alpha for unitising: lines that annotators cut into labelled intervals and gaps.

Source: Krippendorff, Mathet, Bouvry and Widlöcher (2016), "On the reliability of unitizing textual continua",
equations 1 and 4 to 6. The lines of all units together are one continuum. Nothing is counted point by point.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from scipy import sparse

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, bootstrap, coefficient
from labelloop.agreement.patterns import Disagreement, Patterns, cluster_weights
from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.regions import Regions
from labelloop.agreement.table import SINGLE, few_units
from labelloop.errors import InputError, NotEstimable
from labelloop.geometry.intervals import Intervals

ALPHAS: Final = ("unitised_alpha", "unitised_alpha_of_places")


def unitised_alpha(
    name: str, level: str, regions: Regions, line: Intervals, length: pa.ChunkedArray | None, precision: Precision
) -> Figure:
    """The alpha of one of `ALPHAS`, or the reason why there is none.

    `unitised_alpha` asks where intervals are and what they are called, `unitised_alpha_of_places` only where.

    Args:
        name: of the figure.
        level: what the intervals are.
        regions: their answers and labels.
        line: their places.
        length: of the line of each answer; None if it ends where the last interval of the unit does.
        precision: of the interval.

    Raises:
        InputError: a line ends before one of its intervals.
    """
    answers = regions.ratings
    units = np.flatnonzero(answers.per_unit >= 2)
    try:
        if len(units) < precision.n_min:
            raise NotEstimable(few_units(len(units), precision.n_min))
        _refuse_overlap(regions, line)
        estimate = _disagreement(regions, line, _line_ends(regions, line, length), units, name == ALPHAS[0])
        value, low, high = _estimated(estimate, _patterns(regions, units), precision)
    except NotEstimable as error:
        return Figure(name, level, reason=str(error))
    compared = answers.per_unit[answers.unit] >= 2
    extent = len(units), len(np.unique(answers.annotator[compared])), int(compared.sum())
    return Figure(name, level, value, low, high, *extent)


def _estimated(estimate: Disagreement, patterns: Patterns, precision: Precision) -> tuple[float, float, float]:
    value = float(coefficient(estimate(patterns.frequency[None, :]))[0])
    if np.isnan(value):
        raise NotEstimable("every stretch of every line has the same value")
    if patterns.n_independent < 2:
        raise NotEstimable(SINGLE)
    return value, *bootstrap(estimate, patterns, precision)


def _disagreement(
    regions: Regions, line: Intervals, line_end: FloatArray, units: IntArray, labelled: bool
) -> Disagreement:
    """Observed and expected disagreement for weights of the units; each unit is a few sums of lengths."""
    n_units = len(regions.ratings.units)
    unit = regions.ratings.unit[regions.answer]
    label = regions.label if labelled else np.zeros_like(regions.label)
    marked = sparse.csr_array((line.length, (unit, label)), shape=(n_units, len(regions.labels)))[units]
    gap = (regions.ratings.per_unit * line_end)[units] - np.asarray(marked.sum(axis=1)).ravel()
    # A gap has no parts of its own: it counts as so many intervals of length one.
    alone = np.bincount(unit, weights=line.length**2, minlength=n_units)[units] + gap
    apart = _apart(regions, line, label)[units]

    def disagreement(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        by_label, gaps = np.asarray(weights @ marked), weights @ gap
        total = by_label.sum(axis=1) + gaps
        alike = (by_label**2).sum(axis=1) + gaps**2
        pairs = total**2 - weights @ alone
        return (weights @ apart) / total, (total**2 - alike) / np.where(pairs > 0, pairs, np.nan)

    return disagreement


def _apart(regions: Regions, line: Intervals, label: IntArray) -> FloatArray:
    """Length at which two answers to a unit differ, over its ordered pairs, by the number of other answers."""
    pairs, links = regions.pairs, regions.touching
    common = line.common(links.one, links.other)
    counted = common * (1.0 + (label[links.one] == label[links.other]))
    marked = np.bincount(regions.answer, weights=line.length, minlength=len(regions.ratings.unit))
    differ = marked[pairs.first] + marked[pairs.second]
    differ -= np.bincount(links.pair, weights=counted, minlength=len(pairs.first))
    total = np.bincount(pairs.unit, weights=2.0 * differ, minlength=len(regions.ratings.units))
    return np.asarray(total / np.maximum(regions.ratings.per_unit - 1, 1))


def _line_ends(regions: Regions, line: Intervals, length: pa.ChunkedArray | None) -> FloatArray:
    """Where the line of each unit ends."""
    unit = regions.ratings.unit
    last, told = np.zeros(len(regions.ratings.units)), np.zeros(len(regions.ratings.units))
    np.maximum.at(last, unit[regions.answer], line.end)
    if length is None:
        return last
    np.maximum.at(told, unit, pc.fill_null(length.cast(pa.float64()), 0.0).to_numpy())
    if n := int(np.count_nonzero(told < last)):
        raise InputError(f"{n} lines end before one of their intervals", remedy="give the length of the whole line")
    return told


def _refuse_overlap(regions: Regions, line: Intervals) -> None:
    order = np.lexsort((line.start, regions.answer))
    answer, start, end = regions.answer[order], line.start[order], line.end[order]
    if np.any((answer[1:] == answer[:-1]) & (start[1:] < end[:-1])):
        raise NotEstimable("intervals of one annotator overlap, so they do not divide the line")


def _patterns(regions: Regions, units: IntArray) -> Patterns:
    """Each unit is a pattern of its own."""
    answers = sparse.csr_array(regions.ratings.per_unit[units, None].astype(np.float64))
    clusters = cluster_weights(regions.ratings, units, np.arange(len(units)), len(units))
    return Patterns(answers, np.ones(len(units)), clusters)
