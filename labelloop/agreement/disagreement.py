"""Where annotators disagree: on which units, and about which labels."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.pairs import pairs_of
from labelloop.agreement.ratings import FloatArray, Ratings, read_ratings

EXAMPLES: Final = 3  # units named of each pair of labels


def agreement_of_ratings(ratings: Ratings) -> FloatArray:
    """Of each rating the share of the others of its unit that say the same; NaN where there is no other.

    >>> table = pd.DataFrame({"unit": [1, 1, 1], "annotator": [*"abc"], "value": [*"xxy"]})
    >>> agreement_of_ratings(read_ratings(table)).tolist()
    [0.5, 0.5, 0.0]
    """
    cell = ratings.unit * max(len(ratings.values), 1) + ratings.value
    _, of, n_same = np.unique(cell, return_inverse=True, return_counts=True)
    others = ratings.per_unit[ratings.unit] - 1.0
    return np.asarray((n_same[of] - 1.0) / np.where(others > 0, others, np.nan))


def difficult_units(ratings: pa.Table | pd.DataFrame | Ratings, n: int = 50) -> pa.Table:
    """The `n` units on which annotators disagree most: unit, disagreement (share of pairs, 0..1), n_ratings.

    Most difficult first, of equal ones those that more annotators have seen. Units on which all agree are left out.

    Args:
        ratings: long table unit, annotator, value; see `read_ratings`.
        n: how many at most.

    Raises:
        InputError: ratings that cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1, 2, 2], "annotator": [*"abab"], "value": [*"xyxx"]})
    >>> difficult_units(table).to_pylist()
    [{'unit': 1, 'disagreement': 1.0, 'n_ratings': 2}]
    """
    coded = read_ratings(ratings)
    same = np.nan_to_num(agreement_of_ratings(coded), nan=1.0)
    size = coded.per_unit
    apart = 1.0 - np.bincount(coded.unit, weights=same, minlength=len(size)) / np.maximum(size, 1)
    worst = np.lexsort((-size, -np.round(apart, 12)))[:n]
    worst = worst[apart[worst] > 1e-12]
    columns = {"unit": coded.units.take(pa.array(worst)), "disagreement": apart[worst], "n_ratings": size[worst]}
    return pa.table(columns)


def confused_labels(ratings: pa.Table | pd.DataFrame | Ratings) -> pa.Table:
    """Which two labels were given to the same unit: one, other, n, share, examples; most often first.

    `n` counts units, each shared by its pairs of annotators; `share` is n over all disagreement, 0..1; `examples` are
    units on which the two labels met, at most three.

    Raises:
        InputError: ratings that cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1, 2, 2], "annotator": [*"abab"], "value": [*"xyxx"]})
    >>> confused_labels(table).to_pylist()
    [{'one': 'x', 'other': 'y', 'n': 1.0, 'share': 1.0, 'examples': [1]}]
    """
    coded = read_ratings(ratings)
    pairs, size = pairs_of(coded), coded.per_unit
    both = np.sort(np.column_stack([coded.value[pairs.first], coded.value[pairs.second]]), axis=1)
    apart = both[:, 0] != both[:, 1]
    cells, of = np.unique(both[apart], axis=0, return_inverse=True)
    unit = pairs.unit[apart]
    n = np.bincount(of.reshape(-1), weights=2.0 / (size[unit] * (size[unit] - 1.0)), minlength=len(cells))
    order = np.argsort(-n, kind="stable")
    examples = [coded.units.take(pa.array(np.unique(unit[of.reshape(-1) == cell])[:EXAMPLES])) for cell in order]
    return pa.table(
        {
            "one": coded.values.take(pa.array(cells[order, 0])),
            "other": coded.values.take(pa.array(cells[order, 1])),
            "n": n[order],
            "share": n[order] / max(n.sum(), 1e-300),
            "examples": pa.array([found.to_pylist() for found in examples], pa.list_(coded.units.type)),
        }
    )
