"""Answers that mark parts of an object: what kind of marks they are, and what they are labelled.

Their values tell the kind: one control of Label Studio marks boxes on an image and words in a text. Shapes are read
in `parse_shapes.py`, what lies along a text or a time in `parse_stretches.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from labelloop.errors import InputError
from labelloop.interface.answer import Item, Marks, Reading
from labelloop.interface.parse_shapes import SHAPES
from labelloop.interface.parse_stretches import STRETCHES
from labelloop.interface.parse_values import OfRegion, texts
from labelloop.interface.region import Region

_BARE: Final = frozenset(["rectangle", "ellipse", "polygon", "keypoint", "brush", "bitmask"])
_LABELLED: Final = _BARE | {"ocr", "hypertext", "paragraph", "timeseries", "timeline"}
# Where the value of each kind keeps its labels.
_LABELS: Final[Mapping[str, str]] = {
    **{f"{kind}labels": f"{kind}labels" for kind in _LABELLED},
    "labels": "labels",
    "videorectangle": "labels",
}
REGIONS: Final = _BARE | frozenset(_LABELS)
# The first of these that a value has tells what was marked.
_TELLING: Final = (
    ("sequence", "track"),
    ("ranges", "timeline"),
    ("height", "rectangle"),
    ("radiusX", "ellipse"),
    ("points", "polygon"),
    ("rle", "mask"),
    ("imageDataURL", "mask"),
    ("x", "keypoint"),
    ("channel", "segment"),
    ("instant", "segment"),
    ("start", "span"),
)


def marks_of(items: Iterable[Any]) -> Marks:
    """Return the marks of an annotation's result; what has not the shape of one is passed over."""
    found = Marks({}, set())
    for item in items:
        if not _is_mark(item):
            continue
        kind = item["type"]
        labels = item["value"].get(_LABELS.get(kind))
        given = [one for one in labels if isinstance(one, str)] if isinstance(labels, list) else []
        found.labels.setdefault(item["id"], []).extend(given)
        if kind in _BARE:
            found.bare.add(item["id"])
    return found


def _is_mark(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    kind, mark, value = item.get("type"), item.get("id"), item.get("value")
    return isinstance(kind, str) and kind in REGIONS and isinstance(mark, str) and isinstance(value, dict)


def read_regions(items: list[Item], marks: Marks) -> Reading:
    """Return the marks of one control; a control that only names what others drew is a choice for each mark.

    Raises:
        InputError: one has another shape, or there are marks of several kinds.
    """
    ids = [item.get("id") for item in items]
    if not all(isinstance(mark, str) for mark in ids):
        raise InputError("a region has no id")
    if len(set(ids)) < len(ids):
        raise InputError("a region is there twice")
    if items[0]["type"] == "labels" and marks.bare.issuperset(ids):
        return Reading(
            "choices", "per_region", [OfRegion(item["id"], choices=_labels(item, marks)) for item in items]
        )
    kinds = {_kind(item) for item in items}
    if len(kinds) > 1:
        raise InputError("its regions are of several kinds")
    (kind,) = kinds
    return Reading(
        kind, "regions", [region for item in items for region in _regions(kind, item, _labels(item, marks))]
    )


def _labels(item: Item, marks: Marks) -> list[str]:
    key = _LABELS.get(item["type"])
    labels = item["value"].get(key) if key else list(dict.fromkeys(marks.labels[item["id"]]))
    return texts(labels, "labels") if labels else []


def _kind(item: Item) -> str:
    value = item["value"]
    for key, kind in _TELLING:
        if key in value:
            return "segment" if kind == "span" and "original_length" in item else kind
    raise InputError("its regions have no shape that is known")


def _regions(kind: str, item: Item, labels: list[str]) -> list[Region]:
    if kind in SHAPES:
        return [SHAPES[kind](item["id"], labels, item["value"])]
    return STRETCHES[kind](item["id"], labels, item["value"])
