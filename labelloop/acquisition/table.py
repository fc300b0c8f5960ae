"""Every acquisition score by name: the column of a pool it reads, and how.

The functions themselves are in the files beside this one; strategies of the same names are in `labelloop.sampling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.acquisition import columns
from labelloop.acquisition.committee import COMMITTEE_SCORES
from labelloop.acquisition.multi_label import binary_minimum, label_entropy
from labelloop.acquisition.regions import box_count_normalised, box_max, box_mean, span_length_normalised
from labelloop.acquisition.regression import variance
from labelloop.acquisition.uncertainty import SCORES
from labelloop.errors import InputError

Scores = tuple[NDArray[np.floating], columns.Masks]


class Scoring(NamedTuple):
    """`column` is what the score reads; `score(column)` gives (n,) scores, NaN where refused, and the masks why."""

    column: str
    score: Callable[[columns.Column], Scores]


def score(table: pa.Table, name: str) -> Scores:
    """Scores of a table's rows by a score's name, and which rows could not be scored, by rule.

    Args:
        table: has the column of the score.
        name: of `SCORINGS`.

    Returns:
        (n,) scores, higher is more worth labelling, NaN for a refused row; masks by rule, all false ones left out.

    Raises:
        InputError: no such score, or its column is absent or of another type.

    >>> score(pa.table({"probabilities": [[0.5, 0.5], [0.9, 0.1]]}), "margin")[0].round(3).tolist()
    [1.0, 0.2]
    """
    column = SCORINGS[known_score(name)].column
    if column not in table.column_names:
        raise InputError(f"the score {name} needs {column}, the pool has none", remedy=f"add a column {column}")
    return SCORINGS[name].score(table[column])


def known_score(name: str) -> str:
    """The name, if there is an acquisition score of that name.

    Raises:
        InputError: there is none.
    """
    if name not in SCORINGS:
        raise InputError(f"there is no acquisition score {name!r}", remedy=f"choose one of {', '.join(SCORINGS)}")
    return name


def _of_rows(read: Callable[[columns.Column], Any], rule: Callable[..., NDArray[np.floating]]) -> Any:
    """A scoring that reads rows of one shape, and hands only the sound ones to the score."""

    def scored(column: columns.Column) -> Scores:
        values, masks = read(column)
        masks = {name: mask for name, mask in masks.items() if mask.any()}
        if not masks and len(values):
            return rule(values), masks
        sound = ~np.logical_or.reduce([np.zeros(len(values), dtype=bool), *masks.values()])
        scores = np.full(len(values), np.nan)
        if sound.any():
            scores[sound] = rule(values[sound])
        return scores, masks

    return scored


def _of_regions(rule: Callable[..., NDArray[np.floating]], *, spans: bool = False) -> Any:
    """A scoring that reads any number of regions in each row."""

    def scored(column: columns.Column) -> Scores:
        found, masks = columns.regions(column, spans=spans)
        masks = {name: mask for name, mask in masks.items() if mask.any()}
        weights = (found.length,) if spans else ()
        scores = rule(found.confidence, *weights, found.offsets)
        for mask in masks.values():
            scores[mask] = np.nan
        return scores, masks

    return scored


SCORINGS: Final[Mapping[str, Scoring]] = MappingProxyType(
    {name: Scoring("probabilities", _of_rows(columns.distributions, rule)) for name, rule in SCORES.items()}
    | {name: Scoring("committee", _of_rows(columns.committees, rule)) for name, rule in COMMITTEE_SCORES.items()}
    | {
        "label_entropy": Scoring("label_probabilities", _of_rows(columns.labels, label_entropy)),
        "binary_minimum": Scoring("label_probabilities", _of_rows(columns.labels, binary_minimum)),
        "box_max": Scoring("boxes", _of_regions(box_max)),
        "box_mean": Scoring("boxes", _of_regions(box_mean)),
        "box_count_normalised": Scoring("boxes", _of_regions(box_count_normalised)),
        "span_length_normalised": Scoring("spans", _of_regions(span_length_normalised, spans=True)),
        "variance": Scoring("draws", _of_rows(columns.draws, variance)),
    }
)
