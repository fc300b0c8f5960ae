"""Agreement of triage: items of a list put into ordered buckets, some left where they were.

Each item's bucket is an ordinal rating; items of one list depend on each other, so lists are resampled whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
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
    """Ordinal alpha over items, and for each bucket the mean Jaccard index of what annotators put into it.

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
    [('jaccard_of_keep', 1.0), ('jaccard_of_drop', 1.0)]
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
    shared = (mean_figure(f"jaccard_of_{b}", "bucket", ratings, _shared(b, answers), precision) for b in buckets)
    return [*alpha, *shared]


def _shared(bucket: str, answers: Sequence[Placed]) -> Callable[[IntArray, IntArray], FloatArray]:
    def of_pairs(first: IntArray, second: IntArray) -> FloatArray:
        pairs = zip(first.tolist(), second.tolist(), strict=True)
        return np.array([_jaccard(bucket, answers[one], answers[other]) for one, other in pairs])

    return of_pairs


def _items(frame: pd.DataFrame, placed: Sequence[Placed], group: str) -> pd.DataFrame:
    """One rating per item: its bucket."""
    rows = [
        (f"{unit}/{item}", annotator, bucket, str(of))
        for unit, annotator, of, one in zip(frame["unit"], frame["annotator"], frame[group], placed, strict=True)
        for item, bucket in one.items()
    ]
    return pd.DataFrame(rows, columns=["unit", "annotator", "value", "group"])


def _jaccard(bucket: str, one: Placed, other: Placed) -> float:
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
