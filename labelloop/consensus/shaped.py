"""Consensus of answers that have a shape and no text: regions, and items in buckets.

What was ruled takes the place of what annotators said, whole: a fused shape is no evidence on who errs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.drawn import SHAPES
from labelloop.consensus.bucket_median import bucket_median
from labelloop.consensus.posterior import TIE
from labelloop.consensus.region_fusion import fuse_regions
from labelloop.consensus.whole_answers import vote_on_answers
from labelloop.contracts import contract
from labelloop.errors import NotEstimable

_LABELS: Final = contract("labels").schema


class Shape(NamedTuple):
    """How answers of a kind are resolved: the `column` that has them, `method`, `fuse`, and a label's `text`."""

    column: str
    method: str
    fuse: Callable[[pa.Table], pa.Table]
    text: Callable[[pa.ListArray], list[str]]


def shape_of(kind: str, buckets: Sequence[str] = ()) -> Shape | None:
    """How answers of this control type are resolved; None where a text tells them. Orders in `buckets` are triages.

    >>> shape_of("rectangle").method, shape_of("ranking"), shape_of("ranking", ["keep", "drop"]).column
    ('region-fusion', None, 'ranked')
    """
    if kind in SHAPES:
        fuse = _fuse_spans if kind == "span" else partial(fuse_regions, control_type=kind)
        return Shape("regions", "region-fusion", fuse, _labels_in)
    if kind == "ranking" and buckets:
        return Shape("ranked", "bucket-median", partial(bucket_median, buckets=buckets), _buckets_in)
    return None


def fused(answers: pa.Table, shape: Shape) -> pa.Table:
    """What the shape's method makes of answers: unit, its column as in the contract `labels`, confidence, n, ties.

    Args:
        answers: unit, annotator, the column of the shape as in the contract `annotations`, raw.
        shape: how they are resolved.

    Raises:
        InputError: answers that cannot be used.
    """
    found = shape.fuse(answers)
    kinds = {"unit": pa.string(), shape.column: _LABELS.field(shape.column).type}
    columns = {name: found[name].cast(kinds.get(name, found[name].type)) for name in found.column_names}
    return pa.table(columns)


def unanimous(found: pa.Table) -> pa.Table:
    """The units of which all said the same; of one answer alone it is always so."""
    same = pc.and_(pc.equal(found["ties"], 0), pc.greater(found["confidence"], 1.0 - TIE))
    return found.filter(same)


def shaped_labels(found: pa.Table, ruled: pa.Table, shape: Shape) -> pa.Table:
    """One row per unit as `aggregate` gives it, with the column of the shape; no label where anything ties.

    Args:
        found: what annotators said, `fused`.
        ruled: what is known, `fused`; it wins with confidence 1, also of units that no annotator answered.
        shape: how both came about.
    """
    is_ruled = pc.is_in(found["unit"], value_set=ruled["unit"].combine_chunks())
    n = found["n"].take(pc.index_in(ruled["unit"], value_set=found["unit"].combine_chunks()))
    known = _labelled(ruled, shape, "expert", pc.fill_null(n, 0))
    rest = found.filter(pc.invert(is_ruled))
    return pa.concat_tables([_labelled(rest, shape, "consensus", rest["n"]), known]).sort_by("unit")


def _fuse_spans(answers: pa.Table) -> pa.Table:
    """Spans by place; answers whose places only their page knows are voted on whole."""
    try:
        return fuse_regions(answers, "span")
    except NotEstimable:
        return vote_on_answers(answers)


def _labelled(found: pa.Table, shape: Shape, decider: str, n: pa.ChunkedArray) -> pa.Table:
    texts = pa.array(shape.text(found[shape.column].combine_chunks()), pa.string())
    label = pc.if_else(pc.equal(found["ties"], 0).combine_chunks(), texts, None)
    columns = {
        "unit": found["unit"],
        "label": label,
        "confidence": found["confidence"],
        "n": n,
        "classes": _alone(pc.fill_null(label, "")),
        "probabilities": _alone(found["confidence"].combine_chunks()),
        shape.column: found[shape.column],
        "method": pa.repeat(shape.method, len(found)),
        "decided_by": pa.repeat(decider, len(found)),
    }
    return pa.table(columns)


def _alone(values: pa.Array) -> pa.ListArray:
    """A list of each value."""
    return pa.ListArray.from_arrays(pa.array(range(len(values) + 1), pa.int32()), values)


def _labels_in(regions: pa.ListArray) -> list[str]:
    """The set of labels of all regions of a unit, as JSON."""
    found: list[set[str]] = [set() for _ in range(len(regions))]
    labels = pc.struct_field(regions.flatten(), "labels")
    for unit, names in zip(pc.list_parent_indices(regions).to_pylist(), labels.to_pylist(), strict=True):
        found[unit].update(names or ())
    return [json.dumps(sorted(names), ensure_ascii=False) for names in found]


def _buckets_in(ranked: pa.ListArray) -> list[str]:
    """The buckets of a unit with their items, as JSON."""
    found = []
    for items in ranked.to_pylist():
        held: dict[str, list[str]] = {}
        for item in items:
            held.setdefault(item["bucket"], []).append(item["item"])
        found.append(json.dumps(held, ensure_ascii=False))
    return found
