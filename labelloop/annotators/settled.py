"""What each answer can be held against: an expert's ruling or, without one, what most of the others said."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from labelloop.agreement.ratings import IntArray, Ratings

CELLS = 4_000_000  # of the votes held at once: 32 MB


def settled_by_others(ratings: Ratings, known: IntArray) -> IntArray:
    """For each rating the class ruled, or chosen by most other annotators of the unit; -1 for ties and none."""
    n_classes = max(len(ratings.values), 1)
    label = np.empty(len(ratings.unit), dtype=np.int64)
    at_once = max(1, CELLS // n_classes)
    edges = ratings.unit.searchsorted(np.arange(0, len(ratings.units) + at_once, at_once))
    for start, stop in pairwise(edges):
        label[start:stop] = _label_of_others(ratings.unit[start:stop], ratings.value[start:stop], n_classes)
    return np.where(known[ratings.unit] >= 0, known[ratings.unit], label)


def _label_of_others(unit: IntArray, value: IntArray, n_classes: int) -> IntArray:
    """The most frequent class among the other ratings of each rating's unit; -1 for ties and none."""
    row = unit - unit[:1]  # sorted, so the first is the smallest
    shape = (int(row.max(initial=-1)) + 1, n_classes)
    votes = np.bincount(row * n_classes + value, minlength=shape[0] * n_classes).reshape(shape)
    others = votes[row]
    others[np.arange(len(row)), value] -= 1
    most = others.max(axis=1, initial=0)
    unique = (others == most[:, None]).sum(axis=1) == 1
    return np.where((most > 0) & unique, others.argmax(axis=1), -1)
