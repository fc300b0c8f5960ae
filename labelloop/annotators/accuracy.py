"""How well each annotator answers: accuracy against the consensus of the others, and who stands out below.

Pure figures on coded ratings. What follows from a flag (guidelines, training, a talk) is for people to decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.interval import newcombe, wilson
from labelloop.agreement.ratings import Ratings, read_ratings
from labelloop.annotators.settled import settled_by_others
from labelloop.consensus.rulings import join_rulings
from labelloop.errors import InputError


@dataclass(frozen=True)
class AnnotatorFigure:
    """Accuracy of one annotator on `n` units that the others or an expert settled, or the reason why there is none.

    `difference` is the accuracy minus that of all other annotators together, with the interval the flag rests on.
    """

    annotator: str
    n: int
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None
    flagged: bool = False
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON fields; without an accuracy only annotator, n, flagged and reason."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def assess(
    ratings: pa.Table | pd.DataFrame | Ratings,
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    confidence: float = 0.95,
    n_min: int = 10,
) -> list[AnnotatorFigure]:
    """Accuracy of each annotator against the consensus without their own answer, and a flag; sorted by name.

    The answer of an annotator is right when it is the expert's ruling or, without one, what most of the others said;
    units where the others tie or nobody else answered do not count. Accuracy has a Wilson interval at `confidence`.
    The difference to all others together has Newcombe's interval. `flagged` means that this interval lies wholly
    below 0. It is as wide as a one-sided test of each annotator at (1 - confidence) / annotators demands
    (Bonferroni), so that of annotators who are all alike, any is flagged with probability of about 1 - confidence.

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`.
        rulings: table unit, value of an expert.
        confidence: between 0.5 and 1.
        n_min: with fewer settled units, a reason takes the place of the figures.

    Raises:
        InputError: ratings, rulings or confidence cannot be used.

    >>> table = pd.DataFrame({"unit": [*range(12)] * 3, "annotator": [*("a" * 12 + "b" * 12 + "c" * 12)]})
    >>> table["value"] = "x"
    >>> [(figure.annotator, figure.accuracy) for figure in assess(table)]
    [('a', 1.0), ('b', 1.0), ('c', 1.0)]
    """
    if not 0.5 <= confidence < 1:
        raise InputError(f"confidence is {confidence}", remedy="give a number from 0.5, below 1")
    coded, known = join_rulings(read_ratings(ratings), rulings)
    settled = settled_by_others(coded, known)
    counted = settled >= 0
    n_annotators = len(coded.annotators)
    n = np.bincount(coded.annotator[counted], minlength=n_annotators).tolist()
    right = np.bincount(coded.annotator[counted & (settled == coded.value)], minlength=n_annotators).tolist()
    names = [str(name) for name in coded.annotators.to_pylist()]
    own = dict(zip(names, zip(right, n, strict=True), strict=True))
    return figures_of_accuracy(own, confidence=confidence, n_min=n_min)


def figures_of_accuracy(
    own: Mapping[str, tuple[int, int]], *, confidence: float = 0.95, n_min: int = 10
) -> list[AnnotatorFigure]:
    """The figures of `assess` from what was counted: of each annotator (right, settled), in this order."""
    compared = max(sum(n >= n_min for _, n in own.values()), 1)
    levels = (confidence, 1.0 - 2.0 * (1.0 - confidence) / compared)
    everyone = (sum(right for right, _ in own.values()), sum(n for _, n in own.values()))
    return [_figure(name, own[name], everyone, levels, n_min) for name in own]


def _figure(
    name: str, own: tuple[int, int], everyone: tuple[int, int], levels: tuple[float, float], n_min: int
) -> AnnotatorFigure:
    """`own` and `everyone` are (right, counted); `levels` are the confidence of accuracy and of difference."""
    right, n = own
    others = (everyone[0] - right, everyone[1] - n)
    if n < n_min:
        return AnnotatorFigure(name, n, reason=f"units settled by others: {n}, fewer than {n_min}")
    accuracy, (low, high) = right / n, wilson(right, n, levels[0])
    if not others[1]:
        return AnnotatorFigure(name, n, accuracy, low, high)
    bottom, top = newcombe(own, others, levels[1])
    difference = accuracy - others[0] / others[1]
    return AnnotatorFigure(name, n, accuracy, low, high, difference, bottom, top, flagged=top < 0)
