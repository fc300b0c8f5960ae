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
from numpy.typing import NDArray

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.regions import TOLERANCE, UNLABELLED, Regions, read_regions
from labelloop.agreement.seen_objects import THRESHOLD, Objects, seen_objects
from labelloop.consensus.near_misses import near_misses
from labelloop.consensus.places import STORED, places
from labelloop.errors import InputError

QUORUM: Final = 0.5
TIE: Final = 1e-9  # votes closer than this are the same


class Votes(NamedTuple):
    """Weight of each region, of what speaks for each object (`support`, a share) and of all `asked` about it."""

    weight: FloatArray
    support: FloatArray
    asked: FloatArray


class Named(NamedTuple):
    """What objects are called: `fields` of their regions, the `share` of those asked who say so, whether `tied`."""

    fields: dict[str, pa.Array]
    share: FloatArray
    tied: NDArray[np.bool_]


def fuse_regions(
    table: pa.Table | pd.DataFrame,
    control_type: str,
    *,
    quorum: float = QUORUM,
    threshold: float = THRESHOLD,
    weights: Mapping[str, float] | None = None,
    tolerance: float = TOLERANCE,
) -> pa.Table:
    """One row per unit, ascending: unit, regions, confidence, n, ties.

    A region has the fields of those it is made of, its soft label (`classes`, sets of labels joined by `|`, and
    `probabilities`, the share of those asked who drew it so; what is left of 1 did not draw it), `confidence` (the
    greatest of these) and `n` (how many drew it); a mask also `raw`, what Label Studio stored of it. `labels` are
    null where labels tie. `confidence` of a unit is the mean, over all that anybody drew there, of the share of those
    asked who say what was decided of it; 1 where nobody drew anything. `n` of a unit is the number of its answers,
    `ties` how many of its objects the votes leave open: as many for them as against, enough for something and too few
    for any one place (`near_misses`), or labels that tie.

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
    keep = STORED if control_type == "mask" else ()
    regions = read_regions(table, control_type, tolerance=tolerance, keep=keep)
    objects = seen_objects(regions, threshold)
    votes = _votes(regions, objects, weights or {})
    named = _labels(objects, regions, votes)
    fields = places(control_type, regions, objects.of, votes.weight) | named.fields
    fields["n"] = pa.array(np.bincount(objects.of))
    kept, units = votes.support > quorum, regions.ratings.units
    around = near_misses(regions, objects, votes.weight, ~kept) / votes.asked
    undecided = (around > quorum - TIE) | (kept & named.tied)
    decided = np.where(kept, named.share, 1.0 - votes.support)
    columns = {
        "unit": units,
        "regions": _by_unit(fields, np.flatnonzero(kept), objects.unit, len(units)),
        "confidence": _mean_by_unit(decided, objects.unit, len(units)),
        "n": regions.ratings.per_unit,
        "ties": np.bincount(objects.unit[undecided], minlength=len(units)),
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


def _labels(objects: Objects, regions: Regions, votes: Votes) -> Named:
    """Labels of each object with most votes, null for a tie, and its soft label: shares of all that were asked."""
    width = int(regions.label.max(initial=0)) + 1
    keys, place = np.unique(objects.of * width + regions.label, return_inverse=True)
    thing, label = keys // width, keys % width
    share = np.bincount(place, weights=votes.weight, minlength=len(keys)) / votes.asked[thing]
    order = np.lexsort((-share, thing))
    first = order[np.unique(thing[order], return_index=True)[1]]
    best = share[first]
    tied = np.bincount(thing, weights=share > best[thing] - TIE) > 1
    names = [[] if text == UNLABELLED else json.loads(text) for text in regions.labels]
    offsets = pa.array(np.concatenate([[0], np.cumsum(np.bincount(thing))]), pa.int32())
    classes = pa.array(["|".join(one) for one in names], pa.string()).take(pa.array(label))
    fields = {
        "labels": pa.array(names, pa.list_(pa.string())).take(pa.array(label[first], mask=tied)),
        "classes": pa.ListArray.from_arrays(offsets, classes),
        "probabilities": pa.ListArray.from_arrays(offsets, pa.array(share)),
        "confidence": pa.array(best),
    }
    return Named(fields, best, tied)


def _by_unit(fields: dict[str, pa.Array], kept: IntArray, unit: IntArray, n_units: int) -> pa.ListArray:
    chosen = [column.take(pa.array(kept)) for column in fields.values()]
    items = pa.StructArray.from_arrays(chosen, names=list(fields))
    offsets = np.concatenate([[0], np.cumsum(np.bincount(unit[kept], minlength=n_units))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)


def _mean_by_unit(values: FloatArray, unit: IntArray, n_units: int) -> FloatArray:
    """Mean over the objects of each unit, 1 where there is none."""
    n = np.bincount(unit, minlength=n_units)
    total = np.bincount(unit, weights=values, minlength=n_units)
    return np.where(n > 0, total / np.maximum(n, 1), 1.0)
