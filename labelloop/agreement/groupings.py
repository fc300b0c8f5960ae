"""Agreement of groupings: the same items put together into groups, whatever the groups are called."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import adjusted_rand_score

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray, IntArray, read_ratings
from labelloop.agreement.unit_means import mean_figure
from labelloop.errors import InputError

Groups = Mapping[str, int]


def adjusted_rand(one: Groups, other: Groups) -> float:
    """The adjusted Rand index over the items both placed: 1 the same groups, 0 chance; NaN with fewer than two items.

    Source: Hubert and Arabie (1985).
    """
    first, second = _shared(one, other)
    return float(adjusted_rand_score(first, second)) if len(first) > 1 else float("nan")


def b_cubed(one: Groups, other: Groups) -> float:
    """B-cubed F1 over the items both placed, 0..1; NaN without any.

    For each item the share of its group in one that is also in its group in the other, and the reverse; the harmonic
    mean of both means. Source: Bagga and Baldwin (1998). Not corrected for chance.

    >>> round(b_cubed({"a": 0, "b": 0, "c": 1}, {"a": 0, "b": 1, "c": 1}), 4)
    0.6667
    """
    first, second = (np.asarray(codes) for codes in _shared(one, other))
    if not len(first):
        return float("nan")
    together = np.equal.outer(first, first), np.equal.outer(second, second)
    both = (together[0] & together[1]).sum(axis=1)
    precision, recall = (float(np.mean(both / each.sum(axis=1))) for each in together)
    return 2.0 * precision * recall / (precision + recall)


METRICS_OF_GROUPINGS: Final[Mapping[str, Callable[[Groups, Groups], float]]] = MappingProxyType(
    {"adjusted_rand": adjusted_rand, "b_cubed": b_cubed}
)


def grouping_figures(
    table: pa.Table | pd.DataFrame,
    metrics: Sequence[str] = tuple(METRICS_OF_GROUPINGS),
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Mean agreement of each two annotators over units, one figure per metric, with interval or reason.

    Args:
        table: unit, annotator, value; a value is a list of groups, each a list of items, or its JSON text. An item in
            no group was not placed and counts in no comparison.
        metrics: names of `METRICS_OF_GROUPINGS`.
        settings: the fields of `Precision`: seed, n_boot, confidence, n_min.

    Raises:
        InputError: an unknown metric, or a value that is no list of groups or names an item twice.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": [[["x", "y"], ["z"]]] * 2})
    >>> grouping_figures(table, ["adjusted_rand"], n_min=1)[0].value
    1.0
    """
    if unknown := [name for name in metrics if name not in METRICS_OF_GROUPINGS]:
        known = ", ".join(METRICS_OF_GROUPINGS)
        raise InputError(f"metric {unknown[0]!r} does not compare groupings", remedy=f"give one of {known}")
    frame = table.to_pandas() if isinstance(table, pa.Table) else table
    ratings = read_ratings(
        frame.assign(value=[json.dumps(_groups(value), sort_keys=True) for value in frame["value"]])
    )
    known_groups = [json.loads(text) for text in ratings.values.to_pylist()]
    answers = [known_groups[code] for code in ratings.value]
    precision = Precision(**settings)
    return [
        mean_figure(name, "grouping", ratings, _of_pairs(METRICS_OF_GROUPINGS[name], answers), precision)
        for name in metrics
    ]


def _of_pairs(
    metric: Callable[[Groups, Groups], float], answers: Sequence[Groups]
) -> Callable[[IntArray, IntArray], FloatArray]:
    def of_pairs(first: IntArray, second: IntArray) -> FloatArray:
        return np.array([metric(answers[one], answers[other]) for one, other in zip(first, second, strict=True)])

    return of_pairs


def _shared(one: Groups, other: Groups) -> tuple[list[int], list[int]]:
    items = sorted(one.keys() & other.keys())
    return [one[item] for item in items], [other[item] for item in items]


def _groups(value: object) -> dict[str, int]:
    found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    if not isinstance(found, list | np.ndarray) or not all(isinstance(group, list | np.ndarray) for group in found):
        raise InputError("a grouping is no list of groups", remedy='give lists of items, such as [["a", "b"], ["c"]]')
    placed = [(str(item), number) for number, group in enumerate(found) for item in group]
    if len(dict(placed)) < len(placed):
        raise InputError("a grouping names an item twice", remedy="put each item into one group")
    return dict(placed)
