"""Objects that annotators saw, and what each annotator said of each: ratings like any other, once places match."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.drawn import field
from labelloop.agreement.ratings import IntArray, Ratings, select_columns
from labelloop.agreement.regions import Regions
from labelloop.errors import InputError
from labelloop.geometry.objects import objects_of

THRESHOLD: Final = 0.5  # of similarity: from here two regions show the same object
MISSED: Final = "[]"
ANSWERS: Final = ("choices", "number", "text")


class Objects(NamedTuple):
    """The object `of` each region, numbered from 0, and the `unit` of each object."""

    of: IntArray
    unit: IntArray


def seen_objects(regions: Regions, threshold: float = THRESHOLD) -> Objects:
    """The objects of all units: regions at least as alike as the threshold show one, each annotator shows it once.

    >>> from labelloop.agreement.regions import read_regions
    >>> box = {"points": [0.0, 0.0, 2.0, 2.0]}
    >>> table = pd.DataFrame({"unit": [1, 1], "annotator": ["a", "b"], "regions": [[box], [box, box]]})
    >>> seen_objects(read_regions(table, "rectangle")).of.tolist()
    [0, 0, 1]
    """
    found = objects_of(regions.matched.where(regions.matched.similarity >= threshold), regions.answer)
    unit = np.zeros(int(found.max(initial=-1)) + 1, dtype=np.int64)
    unit[found] = regions.ratings.unit[regions.answer]
    return Objects(found, unit)


def ratings_of_objects(regions: Regions, threshold: float = THRESHOLD, *, missed: bool = True) -> Ratings:
    """What each annotator of a unit called each of its objects: a rating of the object, in the group of its unit.

    With `missed`, an annotator who did not see it said `[]`; otherwise nothing.
    """
    answers, (found, unit) = regions.ratings, seen_objects(regions, threshold)
    size, first = answers.per_unit[unit], np.searchsorted(answers.unit, unit)
    start = np.cumsum(size) - size
    of = np.repeat(np.arange(len(unit)), size)
    value = np.zeros(len(of), dtype=np.int64)
    value[start[found] + regions.answer - first[found]] = regions.label + 1
    annotator = answers.annotator[first[of] + np.arange(len(of)) - start[of]]
    names = pa.array(np.arange(len(unit))), answers.annotators, pa.array([MISSED, *regions.labels], pa.string())
    group = unit if answers.group is None else answers.group[unit]
    rated = Ratings(of, annotator, value, *names, group=group)
    return rated if missed else rated.take(value > 0)


def ratings_of_regions(
    regions: Regions, asked: pa.Table | pd.DataFrame, answer: str = "choices", threshold: float = THRESHOLD
) -> pd.DataFrame:
    """What each annotator answered of each object where a question is asked of each region.

    Columns unit (the object), annotator, value and group (that of the unit, or the unit), as `measure` reads them:
    choices as JSON text of a set, numbers, or texts. Regions without an answer are left out, and answers without a
    region.

    Args:
        regions: what the annotators drew, stored with `region_id`.
        asked: unit, annotator, `per_region`, as in the contract `annotations`.
        answer: the field of `per_region` that holds the answers, one of `ANSWERS`.
        threshold: of the overlap from which two regions show one object.

    Raises:
        InputError: another field, a column is missing, or regions have no `region_id`.
    """
    if answer not in ANSWERS:
        raise InputError(f"regions are asked for no {answer!r}", remedy=f"give one of {', '.join(ANSWERS)}")
    if (ids := field(regions.items, "region_id")) is None:
        raise InputError("the regions have no region_id", remedy="give them as they were collected")
    rows = select_columns(asked, ("unit", "annotator", "per_region"), "answers").to_pylist()
    said = [
        (row["unit"], row["annotator"], one["region_id"], _value(one.get(answer)))
        for row in rows
        for one in row["per_region"] or ()
    ]
    answers = regions.ratings
    objects = seen_objects(regions, threshold)
    group = np.arange(len(answers.units)) if answers.group is None else answers.group
    drawn = pd.DataFrame(
        {
            "asked": answers.units.take(pa.array(answers.unit[regions.answer])).to_pylist(),
            "group": group[answers.unit[regions.answer]],
            "annotator": answers.annotators.take(pa.array(answers.annotator[regions.answer])).to_pylist(),
            "region_id": ids.to_pylist(),
            "unit": objects.of,
        }
    )
    given = pd.DataFrame(said, columns=["asked", "annotator", "region_id", "value"]).dropna(subset="value")
    return drawn.merge(given, on=["asked", "annotator", "region_id"])[["unit", "annotator", "value", "group"]]


def _value(said: Any) -> Any:
    """A set of choices as its JSON text; anything else as it is."""
    return json.dumps(sorted(set(said)), ensure_ascii=False) if isinstance(said, list) else said
