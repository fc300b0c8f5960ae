"""What each annotator takes for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

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
    who, names = coded.annotators.to_pylist(), [str(name) for name in coded.values.to_pylist()]
    keys = [(who[one], names[true], names[said]) for one, true, said in cells.tolist()]
    return confusion_table(dict(zip(keys, n.tolist(), strict=True)), confidence=confidence, n_min=n_min)


def confusion_table(times: Mapping[tuple[Any, ...], int], *, confidence: float = 0.95, n_min: int = 10) -> pa.Table:
    """The table of `confusions` from what was counted: annotator, truth, answer, in this order, and how often."""
    of_truth = Counter[tuple[Any, ...]]()
    for (annotator, truth, _), n_seen in times.items():
        of_truth[annotator, truth] += n_seen
    n, total = np.array([*times.values()], dtype=np.int64), np.array([of_truth[key[:2]] for key in times])
    enough = total >= n_min
    ends = np.array([wilson(k, int(of), confidence) for k, of in zip(n, total, strict=True)]).reshape(-1, 2)
    return pa.table(
        {
            "annotator": pa.array([annotator for annotator, _, _ in times]),
            "truth": pa.array([truth for _, truth, _ in times], pa.string()),
            "answer": pa.array([answer for _, _, answer in times], pa.string()),
            "n": n,
            "share": pa.array(n / np.maximum(total, 1.0), mask=~enough),
            "low": pa.array(ends[:, 0], mask=~enough),
            "high": pa.array(ends[:, 1], mask=~enough),
        }
    )
