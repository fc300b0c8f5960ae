"""Agreement of triage: items of a list put into ordered buckets, some left where they were.

Each item's bucket is an ordinal rating; items of one list depend on each other, so lists are resampled whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Unpack

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray, IntArray, read_ratings
from labelloop.agreement.scope import measure
from labelloop.agreement.unit_means import mean_figure
from labelloop.errors import InputError

Placed = Mapping[str, str]


def bucket_figures(
    table: pa.Table | pd.DataFrame,
    buckets: Sequence[str],
    *,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Ordinal alpha over items, average precision, and for each bucket the mean Jaccard index of what is in it.

    Args:
        table: unit (the list), annotator, value: bucket to items, as a mapping or its JSON text. An item in no bucket
            was not judged, and counts in no comparison.
        buckets: their names, best first.
        group: column that clusters lists; without it each list is resampled on its own.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: a value is no mapping of buckets, names an unknown bucket or puts an item into two.

    >>> values = ['{"keep": ["x"], "drop": ["y"]}'] * 2
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": values})
    >>> [(f.metric, f.value) for f in bucket_figures(table, ["keep", "drop"], n_min=1)[1:]]
    [('average_precision', 1.0), ('jaccard_of_keep', 1.0), ('jaccard_of_drop', 1.0)]
    """
    frame = table.to_pandas() if isinstance(table, pa.Table) else table
    placed = [_placed(value, buckets) for value in frame["value"]]
    precision = Precision(**settings)
    alpha = measure(
        _items(frame, placed, group or "unit"),
        ["krippendorff_alpha"],
        "ordinal",
        categories=buckets,
        group="group",
        **settings,
    )
    ratings = read_ratings(frame.assign(value=[json.dumps(one, sort_keys=True) for one in placed]), group=group)
    answers = [json.loads(text) for text in ratings.values.take(pa.array(ratings.value)).to_pylist()]
    compared = {"average_precision": partial(average_precision, buckets=buckets)}
    compared |= {f"jaccard_of_{bucket}": partial(_jaccard, bucket=bucket) for bucket in buckets}
    return [
        *alpha,
        *(mean_figure(name, "bucket", ratings, _of_pairs(how, answers), precision) for name, how in compared.items()),
    ]


def average_precision(one: Placed, other: Placed, buckets: Sequence[str]) -> float:
    """How early what one put into the best bucket comes in the other's order, and the reverse, in the mean; 0..1.

    The other's order is that of the buckets; items of one bucket come at once, and each counts with the precision
    reached by then. Over items both judged; NaN where either has nothing in the best bucket.

    >>> both = {"x": "keep", "y": "drop"}, {"x": "drop", "y": "keep"}
    >>> average_precision(*both, ["keep", "drop"])
    0.5
    """
    judged = sorted(one.keys() & other.keys())
    first, second = (
        np.array([buckets.index(each[item]) for item in judged], dtype=np.int64) for each in (one, other)
    )
    return (_precision(first, second, len(buckets)) + _precision(second, first, len(buckets))) / 2.0


def _precision(truth: IntArray, order: IntArray, n_buckets: int) -> float:
    best = np.bincount(order[truth == 0], minlength=n_buckets)
    if not best.sum():
        return float("nan")
    precision = best.cumsum() / np.maximum(np.bincount(order, minlength=n_buckets).cumsum(), 1)
    return float((best * precision).sum() / best.sum())


def _of_pairs(
    how: Callable[[Placed, Placed], float], answers: Sequence[Placed]
) -> Callable[[IntArray, IntArray], FloatArray]:
    def of_pairs(first: IntArray, second: IntArray) -> FloatArray:
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        return np.array([how(answers[one], answers[other]) for one, other in pairs])

    return of_pairs


def _items(frame: pd.DataFrame, placed: Sequence[Placed], group: str) -> pd.DataFrame:
    """One rating per item: its bucket."""
    rows = [
        (f"{unit}/{item}", annotator, bucket, str(of))
        for unit, annotator, of, one in zip(frame["unit"], frame["annotator"], frame[group], placed, strict=True)
        for item, bucket in one.items()
    ]
    return pd.DataFrame(rows, columns=["unit", "annotator", "value", "group"])


def _jaccard(one: Placed, other: Placed, bucket: str) -> float:
    """Shared part of a bucket among the items both judged; NaN when neither put one there."""
    judged = one.keys() & other.keys()
    first, second = ({item for item in judged if each[item] == bucket} for each in (one, other))
    return len(first & second) / len(first | second) if first | second else float("nan")


def _placed(value: object, buckets: Sequence[str]) -> dict[str, str]:
    found = json.loads(value) if isinstance(value, str) and value.startswith("{") else value
    if not isinstance(found, Mapping):
        raise InputError("an answer is no mapping of buckets", remedy='give text such as {"keep": ["a"], "drop": []}')
    if unknown := set(found) - set(buckets):
        raise InputError(f"{len(unknown)} buckets are not among {', '.join(buckets)}", remedy="name every bucket")
    pairs = [(str(item), str(bucket)) for bucket, items in found.items() for item in items]
    if len(dict(pairs)) < len(pairs):
        raise InputError("an item lies in two buckets", remedy="put each item into one bucket")
    return dict(pairs)
