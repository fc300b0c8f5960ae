"""Agreement of rankings: lists of items in order, of which each annotator may have left some unranked.

Unranked is not last: what one of two annotators did not rank says nothing about the two. Items of one list depend on
each other, so whole lists are resampled. Triage into buckets is `buckets.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Unpack

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.agreement.figure import Figure
from labelloop.agreement.interval import Precision, PrecisionSettings
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings, read_ratings
from labelloop.agreement.unit_means import figure_of_units, mean_figure
from labelloop.errors import InputError

CELLS: Final = 5_000_000  # of positions compared at once: 40 MB for each array
PERSISTENCE: Final = 0.9  # of rank-biased overlap: the first ten places carry 86 % of the weight
TOP: Final = 3
CONCORDANCE: Final = "kendall_w"


@dataclass(frozen=True)
class Rankings:
    """One row per answer, one column per item of its list: the place from 0, NaN for what was not ranked."""

    ratings: Ratings
    places: FloatArray


def read_rankings(table: pa.Table | pd.DataFrame, *, group: str | None = None) -> Rankings:
    """Rankings of a long table unit, annotator, value; a value is a list of items, best first, or its JSON text.

    Raises:
        InputError: a value is no list, or names an item twice; and what `read_ratings` refuses.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": ['["x", "y"]', '["y"]']})
    >>> read_rankings(table).places.tolist()
    [[0.0, 1.0], [nan, 0.0]]
    """
    frame = table.to_pandas() if isinstance(table, pa.Table) else table
    texts = frame.assign(value=[json.dumps(_listed(value)) for value in frame["value"]])
    ratings = read_ratings(texts, group=group)
    lists = [json.loads(text) for text in ratings.values.to_pylist()]
    items: dict[tuple[int, str], int] = {}
    seen = [0] * len(ratings.units)
    found = []
    for row, (unit, value) in enumerate(zip(ratings.unit.tolist(), ratings.value.tolist(), strict=True)):
        for place, item in enumerate(lists[value]):
            column = items.setdefault((unit, item), seen[unit])
            seen[unit] = max(seen[unit], column + 1)
            found.append((row, column, place))
    places = np.full((len(ratings.unit), max(seen, default=0)), np.nan)
    if found:
        rows, columns, values = np.array(found).T
        places[rows, columns] = values
    return Rankings(ratings, places)


def ranking_figures(
    table: pa.Table | pd.DataFrame,
    metrics: tuple[str, ...] = ("kendall_tau_b", "rbo"),
    *,
    group: str | None = None,
    **settings: Unpack[PrecisionSettings],
) -> list[Figure]:
    """Mean agreement of each two annotators over lists, one figure per metric, with interval or reason.

    Each list counts once. The interval is the percentile bootstrap over lists, or over the groups of them that the
    column `group` tells.

    Raises:
        InputError: an unknown metric, or answers that cannot be used.

    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": [["x", "y", "z"], ["x", "z", "y"]]})
    >>> round(ranking_figures(table, ("kendall_tau_b",), n_min=1)[0].value, 4)
    0.3333
    """
    if unknown := [name for name in metrics if name not in (*METRICS_OF_RANKINGS, CONCORDANCE)]:
        known = ", ".join((*METRICS_OF_RANKINGS, CONCORDANCE))
        raise InputError(f"metric {unknown[0]!r} does not compare rankings", remedy=f"give one of {known}")
    found, precision = read_rankings(table, group=group), Precision(**settings)
    return [
        figure_of_units(name, "ranking", found.ratings, kendall_w(found), precision)
        if name == CONCORDANCE
        else mean_figure(
            name,
            "ranking",
            found.ratings,
            _by_blocks(METRICS_OF_RANKINGS[name], found),
            precision,
            worst=-1.0 if name == "kendall_tau_b" else 0.0,
        )
        for name in metrics
    ]


def kendall_tau_b(one: FloatArray, other: FloatArray) -> FloatArray:
    """Kendall's tau-b of each two rows of places: +1 the same order, -1 reversed; NaN with fewer than two items.

    (concordant - discordant) / sqrt(pairs untied in one x pairs untied in the other), over the items both ranked.
    Source: Kendall (1945).

    >>> kendall_tau_b(np.array([[0.0, 1, 2]]), np.array([[0.0, 2, 1]])).round(4).tolist()
    [0.3333]
    """
    both, of_one, of_other = (np.zeros(len(one)) for _ in range(3))
    for column in range(one.shape[1] - 1):
        left = np.sign(one[:, column + 1 :] - one[:, [column]])
        right = np.sign(other[:, column + 1 :] - other[:, [column]])
        known = ~(np.isnan(left) | np.isnan(right))
        left, right = np.where(known, left, 0.0), np.where(known, right, 0.0)
        both += np.einsum("ij,ij->i", left, right)
        of_one += np.einsum("ij,ij->i", left, left)
        of_other += np.einsum("ij,ij->i", right, right)
    untied = np.sqrt(of_one * of_other)
    return np.asarray(both / np.where(untied > 0, untied, np.nan))


def rbo(one: FloatArray, other: FloatArray, persistence: float = PERSISTENCE) -> FloatArray:
    """Rank-biased overlap of each two rows of places, 0..1: agreement that weighs the top, for lists of any length.

    Extrapolated for uneven lists, equation 32 of Webber, Moffat and Zobel (2010). NaN when a list is empty.

    >>> rbo(np.array([[0.0, 1, 2]]), np.array([[0.0, 1, 2]])).round(4).tolist()
    [1.0]
    """
    sizes = np.stack([np.count_nonzero(~np.isnan(places), axis=1) for places in (one, other)])
    short, long = sizes.min(axis=0), sizes.max(axis=0)
    depth = np.arange(1, one.shape[1] + 1)
    deeper = np.fmax(np.where(np.isnan(one), np.inf, one), np.where(np.isnan(other), np.inf, other))
    overlap = (deeper[:, None, :] < depth[None, :, None]).sum(axis=2)
    at = np.arange(len(one))
    shared, all_shared = overlap[at, np.maximum(short, 1) - 1], overlap[at, np.maximum(long, 1) - 1]
    within, beyond = depth[None, :] <= long[:, None], depth[None, :] - short[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = overlap / depth + np.where(beyond > 0, shared[:, None] * beyond / (short[:, None] * depth), 0.0)
        head = (np.where(within, agreed, 0.0) * persistence**depth).sum(axis=1) * (1 - persistence) / persistence
        tail = ((all_shared - shared) / long + shared / short) * persistence ** long.astype(np.float64)
    return np.asarray(np.where(short > 0, head + tail, np.nan))


def average_precision(one: FloatArray, other: FloatArray, top: int = TOP) -> FloatArray:
    """How early the other ranks what one holds for the best `top`, and the reverse, in the mean; 0..1.

    Only items both ranked count; NaN when one ranked none of the other's best.

    >>> average_precision(np.array([[0.0, 1, 2, 3]]), np.array([[3.0, 1, 2, 0]]), top=1).round(4).tolist()
    [0.25]
    """
    return (_precision(one, other, top) + _precision(other, one, top)) / 2.0


def kendall_w(rankings: Rankings) -> FloatArray:
    """Kendall's coefficient of concordance of each list, 0..1: how far all its annotators share one order.

    12 S / (k^2 (m^3 - m)) over the m items that all k annotators ranked, S the squared deviations of the sums of
    places. Rankings have no ties. NaN for lists with one annotator or fewer than two such items. Source: Kendall and
    Babington Smith (1939).

    >>> answers = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "value": [["x", "y"], ["x", "y"]]})
    >>> kendall_w(read_rankings(answers)).tolist()
    [1.0]
    """
    unit, n_units = rankings.ratings.unit, len(rankings.ratings.units)
    k = rankings.ratings.per_unit
    ranked = _sums(~np.isnan(rankings.places), unit, n_units) == k[:, None]
    ranked &= k[:, None] > 0
    places = np.where(ranked[unit], rankings.places, np.nan)
    place = np.where(np.isnan(places), 0.0, np.argsort(np.argsort(places, axis=1), axis=1))
    m = ranked.sum(axis=1)
    total = np.where(ranked, _sums(place, unit, n_units) - (k * (m - 1) / 2.0)[:, None], 0.0)
    most = k**2 * (m**3 - m) / 12.0
    return np.asarray((total**2).sum(axis=1) / np.where((k > 1) & (m > 1), most, np.nan))


METRICS_OF_RANKINGS: Final[Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]]] = MappingProxyType(
    {"kendall_tau_b": kendall_tau_b, "rbo": rbo, "average_precision": average_precision}
)


def _sums(rows: NDArray[Any], unit: IntArray, n_units: int) -> FloatArray:
    sums = np.zeros((n_units, rows.shape[1]))
    np.add.at(sums, unit, rows)
    return sums


def _precision(truth: FloatArray, order: FloatArray, top: int) -> FloatArray:
    known = ~(np.isnan(truth) | np.isnan(order))
    best = known & (truth < top)
    sequence = np.argsort(np.where(known, order, np.inf), axis=1, kind="stable")
    hit = np.take_along_axis(best, sequence, axis=1)
    share = np.cumsum(hit, axis=1) / np.arange(1, truth.shape[1] + 1)
    n_best = hit.sum(axis=1)
    return np.asarray((share * hit).sum(axis=1) / np.where(n_best > 0, n_best, np.nan))


def _by_blocks(
    metric: Callable[[FloatArray, FloatArray], FloatArray], rankings: Rankings
) -> Callable[[IntArray, IntArray], FloatArray]:
    """The metric of pairs of answers, a bounded number of them at a time."""
    at_once = max(1, CELLS // max(rankings.places.shape[1] ** 2, 1))

    def of_pairs(first: IntArray, second: IntArray) -> FloatArray:
        blocks = [slice(start, start + at_once) for start in range(0, len(first), at_once)]
        found = [metric(rankings.places[first[block]], rankings.places[second[block]]) for block in blocks]
        return np.concatenate([np.empty(0), *found])

    return of_pairs


def _listed(value: object) -> list[str]:
    try:
        found = json.loads(value) if isinstance(value, str) and value.startswith("[") else value
    except json.JSONDecodeError:
        found = None
    if not isinstance(found, list | tuple | np.ndarray):
        raise InputError("a ranking is no list of items", remedy='give lists, or text such as ["first", "second"]')
    items = [str(item) for item in found]
    if len(set(items)) < len(items):
        raise InputError("a ranking names an item twice", remedy="name each item once, best first")
    return items
