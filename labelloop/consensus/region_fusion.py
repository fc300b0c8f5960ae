"""One set of regions per unit from what several annotators drew: what enough of them saw, and what most called it.

Which regions show one object is decided as for agreement, whatever they are called; where it is, in `places.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.regions import TOLERANCE, UNLABELLED, Regions, read_regions
from labelloop.agreement.seen_objects import THRESHOLD, Objects, seen_objects
from labelloop.consensus.places import places
from labelloop.errors import InputError

QUORUM: Final = 0.5
TIE: Final = 1e-9  # votes closer than this are the same


class Votes(NamedTuple):
    """Weight of each region, of what speaks for each object (`support`, a share) and of all `asked` about it."""

    weight: FloatArray
    support: FloatArray
    asked: FloatArray


def fuse_regions(
    table: pa.Table | pd.DataFrame,
    control_type: str,
    *,
    quorum: float = QUORUM,
    threshold: float = THRESHOLD,
    weights: Mapping[str, float] | None = None,
    tolerance: float = TOLERANCE,
) -> pa.Table:
    """One row per unit, ascending: unit, regions, confidence, n.

    A region has the fields of those it is made of, `confidence` (share of those asked who drew it with these labels)
    and `n` (how many drew it). `labels` are null where labels tie. `confidence` of a unit is the mean, over all that
    anybody drew there, of how clearly the vote decided whether it is there; 1 where nobody drew anything. `n` of a
    unit is the number of its answers.

    Args:
        table: unit, annotator, regions, and raw where `read_regions` needs it.
        control_type: what kind of regions.
        quorum: an object is kept when more than this share of the annotators asked drew it.
        threshold: from this overlap two regions show one object.
        weights: above 0, of annotators; 1 for those without.
        tolerance: of key points, in percent of the image.

    Raises:
        InputError: a quorum outside 0 to 1, a weight that is not above 0, or regions that cannot be used.

    >>> box = {"labels": ["cat"], "points": [0.0, 0.0, 2.0, 2.0]}
    >>> table = pd.DataFrame({"unit": [1, 1, 1], "annotator": ["a", "b", "c"], "regions": [[box], [box], []]})
    >>> (row,) = fuse_regions(table, "rectangle").to_pylist()
    >>> row["n"], row["regions"][0]["points"], round(row["regions"][0]["confidence"], 2)
    (3, [0.0, 0.0, 2.0, 2.0], 0.67)
    """
    if not 0 <= quorum < 1:
        raise InputError(f"the quorum is {quorum}", remedy="give a share from 0, below 1")
    regions = read_regions(table, control_type, tolerance=tolerance)
    objects = seen_objects(regions, threshold)
    votes = _votes(regions, objects, weights or {})
    label, share = _labels(objects, regions.label, votes)
    fields = places(control_type, regions, objects.of, votes.weight) | {
        "labels": _named(label, regions.labels),
        "confidence": pa.array(share),
        "n": pa.array(np.bincount(objects.of)),
    }
    units = regions.ratings.units
    columns = {
        "unit": units,
        "regions": _by_unit(fields, np.flatnonzero(votes.support > quorum), objects.unit, len(units)),
        "confidence": _clearness(votes.support, objects.unit, len(units)),
        "n": regions.ratings.per_unit,
    }
    return pa.table(columns)


def _votes(regions: Regions, objects: Objects, weights: Mapping[str, float]) -> Votes:
    answers, weight = regions.ratings, _weights(regions, weights)
    asked = np.bincount(answers.unit, weights=weight, minlength=len(answers.units))[objects.unit]
    drawn = weight[regions.answer]
    return Votes(drawn, np.bincount(objects.of, weights=drawn) / asked, np.asarray(asked, dtype=np.float64))


def _weights(regions: Regions, weights: Mapping[str, float]) -> FloatArray:
    """Weight of the annotator of each answer."""
    names = [str(name) for name in regions.ratings.annotators.to_pylist()]
    found = np.array([weights.get(name, 1.0) for name in names], dtype=np.float64)
    if n := int(np.count_nonzero(~(np.isfinite(found) & (found > 0)))):
        raise InputError(f"{n} annotators have a weight that is not above 0", remedy="leave them out instead")
    return np.asarray(found[regions.ratings.annotator])


def _labels(objects: Objects, label: IntArray, votes: Votes) -> tuple[IntArray, FloatArray]:
    """Label of each object with most votes, -1 for a tie, and its share of all that were asked."""
    width = int(label.max(initial=0)) + 1
    keys, place = np.unique(objects.of * width + label, return_inverse=True)
    total, thing = np.bincount(place, weights=votes.weight, minlength=len(keys)), keys // width
    order = np.lexsort((-total, thing))
    first = np.unique(thing[order], return_index=True)[1]
    best = total[order][first]
    tied = np.bincount(thing, weights=total > best[thing] - TIE) > 1
    return np.where(tied, -1, keys[order][first] % width), best / votes.asked


def _named(label: IntArray, labels: list[str]) -> pa.Array:
    names = [[] if text == UNLABELLED else json.loads(text) for text in labels]
    return pa.array([None if code < 0 else names[code] for code in label.tolist()], pa.list_(pa.string()))


def _by_unit(fields: dict[str, pa.Array], kept: IntArray, unit: IntArray, n_units: int) -> pa.ListArray:
    chosen = [column.take(pa.array(kept)) for column in fields.values()]
    items = pa.StructArray.from_arrays(chosen, names=list(fields))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(unit[kept], minlength=n_units))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def _clearness(support: FloatArray, unit: IntArray, n_units: int) -> FloatArray:
    n = np.bincount(unit, minlength=n_units)
    clear = np.bincount(unit, weights=np.maximum(support, 1.0 - support), minlength=n_units)
    return np.where(n > 0, clear / np.maximum(n, 1), 1.0)
