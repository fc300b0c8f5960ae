"""Slices of the answers to one question that have figures of their own: when, under what, how chosen, which label.

Cuts tables only; what is measured of a slice is decided in `night.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.label_sets import label_sets
from labelloop.agreement.question import Rated
from labelloop.agreement.ratings import read_ratings
from labelloop.strata import strata_of

WINDOWS: Final = 13  # newest weeks that have figures: a quarter of a year
LABELS: Final = 100  # most frequent ones that have figures

Slice = tuple[str, str, pa.Table]


def slices(rows: pa.Table, batches: pa.Table) -> Iterator[Slice]:
    """Yield (scope, name, rows) of each part of the answers that is not all of them.

    `guidelines`: their version. `predictions`: shown or hidden. `stratum`: why the unit was chosen. `window`: the
    week, from Monday, of the last answer to the unit, the newest ones only.

    Args:
        rows: of the contract `annotations`, answers to one question.
        batches: of the contract `batches`.
    """
    for scope, names in names_of_slices(rows, batches):
        for name in slices_shown(scope, pc.unique(names).to_pylist()):
            yield scope, name, rows.filter(pc.equal(names, name))


def names_of_slices(rows: pa.Table, batches: pa.Table) -> Iterator[tuple[str, pa.ChunkedArray | pa.Array]]:
    """Yield each scope with the name of the slice that each row is in; arguments as for `slices`."""
    for scope, name_of in _NAMED_BY.items():
        yield scope, name_of(rows, batches)


def slices_shown(scope: str, names: Iterable[str]) -> list[str]:
    """Return the slices of a scope that have figures of their own, sorted: one alone would be all of the answers.

    >>> slices_shown("stratum", ["explore", "", "audit"]), slices_shown("stratum", ["audit", ""])
    (['audit', 'explore'], [])
    """
    found = sorted(name for name in names if name)
    return (found[-WINDOWS:] if scope == "window" else found) if len(found) > 1 else []


def per_label(answers: Rated, group: str | None = None) -> Iterator[tuple[str, pa.Table]]:
    """Yield each label with whether each answer holds it: rated like any two categories; the most frequent ones.

    `group` is a column of the answers that clusters units, kept beside them.

    >>> table = pa.table({"unit": [1, 1], "annotator": ["a", "b"], "value": ["x", "y"]})
    >>> [(label, said["value"].to_pylist()) for label, said in per_label(Rated(table, "nominal"))]
    [('x', [True, False]), ('y', [False, True])]
    """
    if answers.level not in ("nominal", "masi"):
        return
    ratings = read_ratings(answers.ratings)
    sets = [{name} for name in ratings.values.to_pylist()]
    if answers.level == "masi":
        sets = [set(one) for one in label_sets(ratings.values)]
    chosen = [sets[code] for code in ratings.value.tolist()]
    counts = pc.value_counts(pa.array([label for one in chosen for label in one], pa.string())).to_pylist()
    frequent = sorted(counts, key=lambda count: (-count["counts"], count["values"]))[:LABELS]
    names = {
        "unit": ratings.units.take(pa.array(ratings.unit)),
        "annotator": ratings.annotators.take(pa.array(ratings.annotator)),
    }
    if group is not None:
        given = answers.ratings
        names[group] = given[group].take(pc.index_in(names["unit"], value_set=given["unit"].combine_chunks()))
    for label in sorted(count["values"] for count in frequent):
        yield label, pa.table(names | {"value": pa.array([label in one for one in chosen])})


def _guidelines(rows: pa.Table, _: pa.Table) -> pa.ChunkedArray:
    return rows["guideline_version"]


def _predictions(rows: pa.Table, _: pa.Table) -> pa.ChunkedArray:
    return pc.if_else(rows["prediction_shown"], "shown", "hidden")


def _stratum(rows: pa.Table, batches: pa.Table) -> pa.Array:
    return pa.array(strata_of(rows["unit_id"], batches).stratum, pa.string())


def _window(rows: pa.Table, _: pa.Table) -> pa.ChunkedArray:
    last = rows.group_by("unit_id").aggregate([("updated_at", "max")])
    place = pc.index_in(rows["unit_id"], last["unit_id"].combine_chunks())
    week = pc.floor_temporal(last["updated_at_max"].take(place), unit="week")
    return pc.strftime(week, format="%Y-%m-%d")


_NAMED_BY: Final[Mapping[str, Callable[[pa.Table, pa.Table], pa.ChunkedArray]]] = MappingProxyType(
    {"guidelines": _guidelines, "predictions": _predictions, "stratum": _stratum, "window": _window}
)
