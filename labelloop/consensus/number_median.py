"""The median of numbers that may all differ: the classes of a unit are the numbers given for it, and no others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.ratings import IntArray, Ratings
from labelloop.consensus.label_table import label_table
from labelloop.consensus.rulings import join_rulings


def number_median(ratings: Ratings, rulings: pa.Table | pd.DataFrame | None = None) -> pa.Table:
    """One row per unit as `aggregate` gives it; null where the two middle numbers differ.

    Args:
        ratings: their values in ascending order.
        rulings: table unit, value of an expert.

    >>> from labelloop.agreement import read_ratings
    >>> given = read_ratings(pd.DataFrame({"unit": [1, 1, 1], "annotator": [*"abc"], "value": [0.5, 9.0, 0.7]}))
    >>> number_median(given).select(["label", "classes"]).to_pylist()
    [{'label': 0.7, 'classes': ['0.5', '0.7', '9.0']}]
    """
    ratings, known = join_rulings(ratings, rulings)
    ruled = np.flatnonzero(known >= 0)
    open_to_votes = (known < 0)[ratings.unit]
    unit = np.concatenate([ratings.unit[open_to_votes], ruled])
    value = np.concatenate([ratings.value[open_to_votes], known[ruled]])
    order = np.lexsort((value, unit))
    unit, value = unit[order], value[order]
    n = np.bincount(unit, minlength=len(ratings.units))
    first = np.cumsum(n) - n
    lower, upper = value[first + (n - 1) // 2], value[first + n // 2]
    cells, votes = np.unique(np.column_stack([unit, value]), axis=0, return_counts=True)
    share = votes / n[cells[:, 0]]
    at_lower = cells[:, 1] == lower[cells[:, 0]]
    return label_table(
        ratings,
        known,
        "median",
        label=ratings.values.take(pa.array(lower, mask=lower != upper)),
        confidence=share[at_lower],
        probabilities=_lists(pa.array(share), cells[:, 0], len(n)),
        classes=_lists(_names(ratings, cells[:, 1]), cells[:, 0], len(n)),
    )


def _names(ratings: Ratings, code: IntArray) -> pa.Array:
    names = pa.array([str(name) for name in ratings.values.to_pylist()], pa.string())
    return names.take(pa.array(code))


def _lists(values: pa.Array, unit: IntArray, n_units: int) -> pa.ListArray:
    ends = np.searchsorted(unit, np.arange(n_units + 1))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), values)
