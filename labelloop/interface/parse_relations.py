"""Answers that relate two marks of an object to each other."""

from __future__ import annotations

from typing import Final, NamedTuple

from labelloop.errors import InputError
from labelloop.interface.answer import Item, Marks, Reading
from labelloop.interface.parse_values import texts

RELATION: Final = "relation"


class Relation(NamedTuple):
    """One relation: from which mark to which; `direction` is left, right or bi, as Label Studio draws the arrow."""

    from_id: str
    to_id: str
    direction: str
    labels: list[str]


def read_relations(items: list[Item], marks: Marks) -> Reading:
    """Return the relations of an annotation, all of which are one answer.

    Raises:
        InputError: one has another shape, or relates what is no mark of this annotation.
    """
    return RELATION, "relations", [_relation(item, marks) for item in items]


def _relation(item: Item, marks: Marks) -> Relation:
    start, end = item.get("from_id"), item.get("to_id")
    if not isinstance(start, str) or not isinstance(end, str) or not {start, end} <= marks.ids:
        raise InputError("it relates a region that is not there")
    if item.get("direction") not in ("left", "right", "bi"):
        raise InputError("its direction is none of left, right and bi")
    labels = item.get("labels") or []
    return Relation(start, end, item["direction"], texts(labels, "labels") if labels else [])
