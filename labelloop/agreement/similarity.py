"""How alike two categories are: the level of measurement and the weights between 0 and 1 that follow from it.

Shared by every coefficient that gives credit for near misses.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from labelloop.agreement.label_sets import jaccard_distance, label_sets, masi_distance, with_ancestors
from labelloop.agreement.ratings import FloatArray, Ratings
from labelloop.errors import InputError, NotEstimable

SET_LEVELS = ("jaccard", "masi", "taxonomy")
MEASUREMENT_LEVELS = ("nominal", "ordinal", "interval", "ratio")
LEVELS = (*MEASUREMENT_LEVELS, *SET_LEVELS)
MOST_CATEGORIES = 2000  # a table of all pairs of categories: 32 MB


@dataclass(frozen=True)
class Scale:
    """The level at which values are compared, and the number of categories.

    `numbers` of the categories at interval and ratio level; `apart`, the table of distances 0..1, for sets.
    """

    level: str
    n_categories: int
    ordered: bool
    numbers: FloatArray | None = None
    apart: FloatArray | None = None


def scale_of(ratings: Ratings, level: str) -> Scale:
    """The scale of the values at a level of measurement.

    Raises:
        InputError: unknown level, text without an order above nominal, no numbers at interval or ratio level, a
            negative number at ratio level, or values that are no sets where sets are compared.
        NotEstimable: more different sets than a table of distances may have.
    """
    if level not in LEVELS:
        raise InputError(f"level {level!r} is unknown", remedy=f"give one of {', '.join(LEVELS)}")
    n_categories = len(ratings.values)
    if level in SET_LEVELS:
        _refuse_too_many(n_categories)
        return Scale(level, n_categories, ordered=False, apart=_apart(ratings.values, level))
    if level != "nominal" and n_categories and not ratings.ordered:
        raise InputError(f"{ratings.values.type} values have no order for level {level}", remedy="give categories")
    if level in ("nominal", "ordinal"):
        return Scale(level, n_categories, ratings.ordered)
    try:
        numbers = ratings.values.to_numpy(zero_copy_only=False).astype(np.float64)
    except (ValueError, TypeError) as error:
        raise InputError(f"level {level} needs numbers, not {ratings.values.type}", remedy="use ordinal") from error
    if level == "ratio" and np.any(numbers < 0):
        raise InputError("level ratio needs values from 0, a value is negative", remedy="use level interval")
    return Scale(level, n_categories, ordered=True, numbers=numbers)


def kind_of(scale: Scale) -> str:
    """The kind of weights that goes with the level of the scale."""
    if scale.level in SET_LEVELS:
        return "sets"
    return "none" if scale.level == "nominal" else scale.level


def similarity(scale: Scale, kind: str) -> FloatArray:
    """Table of weights, categories x categories: 1 for the same category, 0 for the farthest apart.

    Kinds: `none` (identity), `linear` and `quadratic` by rank (Cohen 1968), and Gwet's (2014, chapter 3) `ordinal`
    (binomial counts of the categories between), `interval` (squared difference) and `ratio` (squared relative
    difference); `sets` by the distance of the level.

    Raises:
        NotEstimable: more categories than the table may have.

    >>> similarity(Scale("ordinal", 3, True), "linear").tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    _refuse_too_many(scale.n_categories)
    distance = _distance(scale, kind)
    farthest = distance.max(initial=0.0)
    return 1.0 - distance / farthest if farthest > 0 else 1.0 - distance


def _distance(scale: Scale, kind: str) -> FloatArray:
    if kind == "sets":
        return distances_of_sets(scale)
    rank = np.arange(scale.n_categories, dtype=np.float64)
    steps = np.abs(rank[:, None] - rank)
    if kind == "interval" or kind == "ratio":
        return squared_difference(scale) if kind == "interval" else squared_relative_difference(scale)
    distances: dict[str, FloatArray] = {
        "none": (steps > 0).astype(np.float64),
        "linear": steps,
        "quadratic": steps**2,
        "ordinal": steps * (steps + 1) / 2,
    }
    return distances[kind]


def squared_difference(scale: Scale) -> FloatArray:
    """(a - b) squared for all categories a, b; the scale must have numbers."""
    numbers = _numbers(scale)
    return np.asarray((numbers[:, None] - numbers) ** 2)


def squared_relative_difference(scale: Scale) -> FloatArray:
    """((a - b) / (a + b)) squared for all categories a, b, 0 for two zeros; the scale must have numbers."""
    numbers = _numbers(scale)
    total = numbers[:, None] + numbers
    return np.asarray(((numbers[:, None] - numbers) / np.where(total == 0, 1.0, total)) ** 2)


def distances_of_sets(scale: Scale) -> FloatArray:
    """Distance 0..1 of all categories a, b; the level must compare sets."""
    if scale.apart is None:
        raise InputError(f"level {scale.level} compares no sets", remedy=f"use level {' or '.join(SET_LEVELS)}")
    return scale.apart


def _apart(values: pa.Array, level: str) -> FloatArray:
    sets = label_sets(values)
    if level == "masi":
        return masi_distance(sets)
    return jaccard_distance([with_ancestors(one) for one in sets] if level == "taxonomy" else sets)


def _refuse_too_many(n_categories: int) -> None:
    if n_categories > MOST_CATEGORIES:
        raise NotEstimable(f"{n_categories} different values are more than {MOST_CATEGORIES}; round them first")


def _numbers(scale: Scale) -> FloatArray:
    if scale.numbers is None:
        raise InputError(f"level {scale.level} has no numbers", remedy="use level interval or ratio")
    return scale.numbers
