"""From how alike each two answers to a unit are to one figure: the mean over units, with interval or reason.

For answers that are compared two by two and have no table of categories: rankings, groupings, regions, texts.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import ROUNDING, Precision, percentiles, unseen_share
from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings


def mean_figure(
    name: str,
    level: str,
    ratings: Ratings,
    alike: Callable[[IntArray, IntArray], FloatArray],
    precision: Precision,
    worst: float = 0.0,
) -> Figure:
    """Mean over units of the mean of each two answers, with the percentile interval over units, or a reason.

    Args:
        name: of the metric.
        level: what kind of answers it compares.
        ratings: unit and annotator of each answer; groups of units are resampled together.
        alike: for positions of first and second answers, how alike they are; NaN where the two cannot be compared.
        precision: of the interval.
        worst: the least that two answers can be alike; the most is 1.
    """
    pairs = pairs_of(ratings)
    values = alike(pairs.first, pairs.second)
    known = ~np.isnan(values)
    compared, values = pairs.where(known), values[known]
    n_pairs = np.bincount(compared.unit, minlength=len(ratings.units))
    total = np.bincount(compared.unit, weights=values, minlength=len(ratings.units))
    mean = total / np.where(n_pairs > 0, n_pairs, np.nan)
    return figure_of_units(name, level, ratings, mean, precision, worst, np.union1d(compared.first, compared.second))


def figure_of_units(
    name: str,
    level: str,
    ratings: Ratings,
    values: FloatArray,
    precision: Precision,
    worst: float = 0.0,
    answers: IntArray | None = None,
) -> Figure:
    """Mean of one value per unit, NaN where there is none, with the percentile interval over units, or a reason.

    Where all units are alike, resampling shows no variation: the interval then allows for the share of units that may
    be otherwise. `answers` are the positions of the ratings compared; by default all of units with a value.
    """
    units = np.flatnonzero(~np.isnan(values))
    if len(units) < precision.n_min:
        reason = f"units whose answers can be compared: {len(units)}, fewer than {precision.n_min}"
        return Figure(name, level, reason=reason)
    mean, group = float(values[units].mean()), None if ratings.group is None else ratings.group[units]
    low, high = percentiles(values[units], group, precision)
    if np.ptp(values[units]) < ROUNDING:
        unseen = unseen_share(len(units) if group is None else len(np.unique(group)), precision.confidence)
        low, high = mean - unseen * (mean - worst), mean + unseen * (1.0 - mean)
    compared = np.flatnonzero(~np.isnan(values)[ratings.unit]) if answers is None else answers
    n_annotators = len(np.unique(ratings.annotator[compared]))
    return Figure(name, level, mean, low, high, len(units), n_annotators, len(compared))
