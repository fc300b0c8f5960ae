"""Scores of what a model found in a reference: boxes in an image, spans in a text.

A reference holds any number of regions, so they travel as one flat array and `offsets` (n + 1,): row i owns
`offsets[i]:offsets[i + 1]`. `confidence` is the model's of each region, in [0, 1]; a region's doubt is 1 - |2c - 1|,
greatest at one half. A reference without regions scores 0: there is no doubt that could be measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.integer]


def box_max(confidence: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """Doubt of the most doubtful box, one number in [0, 1] for each row.

    Source: Brust, Kaeding and Denzler, Active Learning for Deep Object Detection, 2019 (maximum).

    >>> box_max(np.array([0.5, 1.0, 0.75]), np.array([0, 2, 3, 3])).tolist()
    [1.0, 0.5, 0.0]
    """
    return _per_row(np.maximum, doubt(confidence), offsets)


def box_mean(confidence: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """Mean doubt of the boxes, one number in [0, 1] for each row.

    Source: Brust, Kaeding and Denzler, 2019 (average).

    >>> box_mean(np.array([0.5, 1.0, 0.75]), np.array([0, 2, 3, 3])).tolist()
    [0.5, 0.5, 0.0]
    """
    return _ratio(_per_row(np.add, doubt(confidence), offsets), np.diff(offsets))


def box_count_normalised(confidence: NDArray[np.floating], offsets: Offsets) -> NDArray[np.floating]:
    """Summed doubt over the root of the number of boxes, one number in [0, sqrt(m)] for each row of m boxes.

    sum_b doubt_b / sqrt(m). The sum of Brust, Kaeding and Denzler (2019) is won by crowded images, their mean forgets
    how many doubts there are; the root keeps of a crowd's lead what m independent boxes teach.

    >>> box_count_normalised(np.array([0.5] * 4 + [0.5]), np.array([0, 4, 5])).tolist()
    [2.0, 1.0]
    """
    return _ratio(_per_row(np.add, doubt(confidence), offsets), np.sqrt(np.diff(offsets)))


def span_length_normalised(
    confidence: NDArray[np.floating], lengths: NDArray[np.number], offsets: Offsets
) -> NDArray[np.floating]:
    """Doubt for each character inside spans, one number in [0, 1] for each row.

    sum_s length_s doubt_s / sum_s length_s: long texts and long spans gain nothing by being long.
    Source: normalisation by length, Settles and Craven, EMNLP 2008.

    >>> confidence, lengths = np.array([0.5, 1.0]), np.array([1, 3])
    >>> span_length_normalised(confidence, lengths, np.array([0, 2])).tolist()
    [0.25]
    """
    return _ratio(_per_row(np.add, doubt(confidence) * lengths, offsets), _per_row(np.add, lengths, offsets))


def doubt(confidence: NDArray[np.floating]) -> NDArray[np.floating]:
    """How far a yes-or-no confidence is from being sure: 1 at one half, 0 at either end.

    >>> doubt(np.array([0.5, 0.9, 0.0])).round(3).tolist()
    [1.0, 0.2, 0.0]
    """
    return np.asarray(1.0 - np.abs(2.0 * confidence - 1.0))


def _per_row(reduce: np.ufunc, values: NDArray[np.number], offsets: Offsets) -> NDArray[np.floating]:
    """Each row's regions reduced to one number; 0 for a row without any."""
    found = np.zeros(len(offsets) - 1)
    filled = np.flatnonzero(np.diff(offsets))
    if len(filled):
        found[filled] = reduce.reduceat(values, offsets[filled])
    return found


def _ratio(total: NDArray[np.floating], over: NDArray[np.number]) -> NDArray[np.floating]:
    return np.asarray(np.divide(total, over, out=np.zeros(len(total)), where=np.greater(over, 0)))
