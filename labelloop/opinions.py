"""Opinions: annotations counted for a unit, in the shape that statistics read (unit, annotator, value).

Agreement counts planned opinions only: those asked because annotators disagreed would bias it. Consensus counts all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import reduce
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.interface.answer import COLUMNS
from labelloop.spec.interface import Interface

PLANNED: Final = ("planned", "gold")


def opinions(annotations: pa.Table, control: str, *, reasons: Collection[str] | None = None) -> pa.Table:
    """Return one row per opinion on a control: `unit, annotator, value`, sorted; the value as text, see `values_of`.

    Args:
        annotations: rows of the contract `annotations`.
        control: name of the control.
        reasons: only opinions asked for one of these reasons; None for all.

    Deleted and cancelled annotations do not count, nor empty answers. Of several answers of one annotator to one unit
    the latest counts.
    """
    rows = _active(annotations, control, reasons)
    rows = rows.append_column("value", values_of(rows))
    rows = rows.filter(pc.is_valid(rows["value"]))
    newest = rows.sort_by([("updated_at", "ascending"), ("annotation_id", "ascending")])
    last = newest.group_by(["unit_id", "annotator"], use_threads=False).aggregate([("value", "last")])
    found = last.rename_columns(["unit", "annotator", "value"])
    return found.sort_by([("unit", "ascending"), ("annotator", "ascending")])


def _active(annotations: pa.Table, control: str, reasons: Collection[str] | None) -> pa.Table:
    keep = pc.and_(pc.equal(annotations["state"], "active"), pc.equal(annotations["control"], control))
    if reasons is not None:
        keep = pc.and_(keep, pc.is_in(annotations["opinion_reason"], pa.array(sorted(reasons), pa.string())))
    return annotations.filter(keep)


def values_of(annotations: pa.Table) -> pa.Array:
    """What each annotation says, as text; null for an empty answer, for regions and for items in buckets.

    Chosen values joined in order by `|`, a number in its shortest form, text as it is, paths and an order of items as
    JSON lists.
    """
    chosen = pc.binary_join(annotations["choices"], "|")
    some = pc.greater(pc.list_value_length(annotations["choices"]), 0)
    return pc.coalesce(
        pc.if_else(pc.fill_null(some, False), chosen, pa.scalar(None, pa.string())),
        annotations["number"].cast(pa.string()),
        annotations["text"],
        _as_json(annotations["paths"], lambda paths: paths),
        _as_json(annotations["ranked"], _order),
    )


def _as_json(column: pa.ChunkedArray, said: Callable[[Any], list[Any] | None]) -> pa.Array:
    """JSON of what `said` makes of each value, null for none; made only where there are values."""
    if column.null_count == len(column):
        return pa.nulls(len(column), pa.string())
    lists = [said(value) if value else None for value in column.to_pylist()]
    texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in lists]
    return pa.array(texts, pa.string())


def _order(ranked: list[dict[str, Any]]) -> list[str] | None:
    """Items by rank; None for items in buckets, which are no single order."""
    if any(item["bucket"] is not None for item in ranked):
        return None
    return [item["item"] for item in sorted(ranked, key=lambda item: item["rank"])]


def without_confirmations(annotations: pa.Table, interface: Interface) -> pa.Table:
    """Return the annotations that answer a question; how somebody confirmed an answer is no opinion on the unit."""
    names = pa.array([question.name for question in interface.confirmations], pa.string())
    return annotations.filter(pc.invert(pc.is_in(annotations["control"], value_set=names)))


def planned(annotations: pa.Table, control: str) -> pa.Table:
    """Return the opinions that were asked before anybody knew whether annotators would disagree."""
    return opinions(annotations, control, reasons=PLANNED)


def planned_answers(annotations: pa.Table, control: str) -> pa.Table:
    """Return the rows of the contract `annotations` that `planned` reads, for answers that no text can tell."""
    return answers_to(annotations, control, reasons=PLANNED)


def answers_to(annotations: pa.Table, control: str, *, reasons: Collection[str] | None = None) -> pa.Table:
    """Return the rows of the contract `annotations` that `opinions` reads, sorted by unit and annotator.

    Of several answers of one annotator to one unit the latest counts; answers that say nothing do not.
    """
    rows = _active(annotations, control, reasons)
    said = reduce(pc.or_, [pc.is_valid(rows[name]) for name in COLUMNS])
    rows = rows.filter(said).sort_by([("updated_at", "ascending"), ("annotation_id", "ascending")])
    places = rows.select(["unit_id", "annotator"]).append_column("place", pa.array(np.arange(rows.num_rows)))
    last = places.group_by(["unit_id", "annotator"], use_threads=False).aggregate([("place", "max")])
    found = rows.take(last["place_max"])
    return found.sort_by([("unit_id", "ascending"), ("annotator", "ascending")])


def split_rulings(rows: pa.Table, experts: Collection[str]) -> tuple[pa.Table, pa.Table]:
    """Return the opinions of annotators, and the rulings of experts as `unit, value`.

    Experts who rule differently on a unit leave it to the opinions.

    >>> rows = pa.table({"unit": ["u", "u", "v"], "annotator": ["ann", "eve", "ann"], "value": ["cat", "dog", "cat"]})
    >>> said, ruled = split_rulings(rows, ["eve"])
    >>> said["unit"].to_pylist(), ruled.to_pylist()
    (['u', 'v'], [{'unit': 'u', 'value': 'dog'}])
    """
    is_expert = pc.is_in(rows["annotator"], pa.array(sorted(experts), pa.string()))
    ruled = rows.filter(is_expert).group_by("unit").aggregate([("value", "min"), ("value", "max")])
    agreed = ruled.filter(pc.equal(ruled["value_min"], ruled["value_max"]))
    return rows.filter(pc.invert(is_expert)), agreed.select(["unit", "value_min"]).rename_columns(["unit", "value"])


def experts_among(people: pa.Table) -> list[str]:
    """Return the pseudonyms of experts.

    >>> experts_among(pa.table({"annotator": ["a", "b"], "level": ["expert", "annotator"]}))
    ['a']
    """
    found: list[str] = people.filter(pc.equal(people["level"], "expert"))["annotator"].to_pylist()
    return found


def answered(annotations: pa.Table) -> list[tuple[str, str]]:
    """Return the controls that have an active answer, each with the kind of its newest, sorted by name."""
    rows = annotations.filter(pc.equal(annotations["state"], "active")).select(
        ["control", "control_type", "updated_at"]
    )
    newest = rows.sort_by([("updated_at", "ascending"), ("control_type", "ascending")])
    last = newest.group_by("control", use_threads=False).aggregate([("control_type", "last")])
    return sorted(zip(last["control"].to_pylist(), last["control_type_last"].to_pylist(), strict=True))


def controls(annotations: pa.Table) -> list[str]:
    """Return the names of the questions of choices that were answered, also if every answer was deleted; sorted.

    >>> controls(pa.table({"control": ["digit", "box"], "control_type": ["choices", "rectangle"]}))
    ['digit']
    """
    rows = annotations.filter(pc.equal(annotations["control_type"], "choices"))
    return sorted(set(rows["control"].to_pylist()))
