"""What each annotator takes for what."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.interval import wilson
from labelloop.agreement.ratings import Ratings, read_ratings
from labelloop.annotators.settled import settled_by_others
from labelloop.consensus.rulings import join_rulings


def confusions(
    ratings: pa.Table | pd.DataFrame | Ratings,
    *,
    rulings: pa.Table | pd.DataFrame | None = None,
    confidence: float = 0.95,
    n_min: int = 10,
) -> pa.Table:
    """Confusion matrix of each annotator, long: annotator, truth, answer, n, share, low, high; sorted by these names.

    `truth` is the expert's ruling or what most of the others said, `n` how often the annotator gave this answer to
    it, `share` n over all of their answers to it, with Wilson's interval; null where these are fewer than `n_min`.
    Only what occurred has a row; values are text.

    Args:
        ratings: long table unit, annotator, value; see `labelloop.agreement.read_ratings`.
        rulings: table unit, value of an expert.
        confidence: of the intervals.
        n_min: fewest answers to a true class that a share may rest on.

    Raises:
        InputError: ratings or rulings cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1, 1], "annotator": [*"abc"], "value": [*"xxy"]})
    >>> confusions(table).select(["annotator", "truth", "answer", "n"]).to_pylist()
    [{'annotator': 'c', 'truth': 'x', 'answer': 'y', 'n': 1}]
    """
    coded, known = join_rulings(read_ratings(ratings), rulings)
    truth = settled_by_others(coded, known)
    seen = np.column_stack([coded.annotator, truth, coded.value])[truth >= 0]
    cells, n = np.unique(seen, axis=0, return_counts=True)
    of_truth = np.unique(cells[:, :2], axis=0, return_inverse=True)[1].reshape(-1)
    total = np.bincount(of_truth, weights=n)[of_truth] if len(n) else np.zeros(0)
    enough = total >= n_min
    ends = np.array([wilson(k, int(of), confidence) for k, of in zip(n, total, strict=True)]).reshape(-1, 2)
    names = [str(name) for name in coded.values.to_pylist()]
    return pa.table(
        {
            "annotator": coded.annotators.take(pa.array(cells[:, 0])),
            "truth": pa.array([names[code] for code in cells[:, 1]], pa.string()),
            "answer": pa.array([names[code] for code in cells[:, 2]], pa.string()),
            "n": n,
            "share": pa.array(n / np.maximum(total, 1.0), mask=~enough),
            "low": pa.array(ends[:, 0], mask=~enough),
            "high": pa.array(ends[:, 1], mask=~enough),
        }
    )
