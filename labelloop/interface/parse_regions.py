"""Answers that mark parts of an object: what kind of marks they are, and what they are labelled.

Their values tell the kind: one control of Label Studio marks boxes on an image and words in a text. Shapes are read
in `parse_shapes.py`, what lies along a text or a time in `parse_stretches.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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
_READERS: Final = {**SHAPES, **STRETCHES}


def note_mark(item: Item, marks: Marks) -> None:
    """Add an item whose kind is one of `REGIONS` to the marks of its annotation; without an id it is none."""
    mark, kind = item.get("id"), item["type"]
    if isinstance(mark, str):
        marks.ids.add(mark)
        if kind in _BARE:
            marks.bare.add(mark)
        elif kind == "labels" and isinstance(item.get("value"), dict):
            marks.names.setdefault(mark, []).append(item)


def read_regions(items: list[Item], marks: Marks) -> Reading:
    """Return the marks of one control; a control that only names what others drew is a choice for each mark.

    Raises:
        InputError: one has another shape, or there are marks of several kinds.
    """
    ids = {mark for item in items if isinstance(mark := item.get("id"), str)}
    if len(ids) < len(items):
        raise InputError("a region has no id, or that of another")
    if items[0]["type"] == "labels" and ids <= marks.bare:
        named = [OfRegion(item["id"], choices=_labels(item, marks)) for item in items]
        return "choices", "per_region", named
    kinds = set()
    found: list[Region] = []
    for item in items:
        kind = _kind(item)
        kinds.add(kind)
        found += _READERS[kind](item["id"], _labels(item, marks), item["value"])
    if len(kinds) > 1:
        raise InputError("its regions are of several kinds")
    return kind, "regions", found


def _labels(item: Item, marks: Marks) -> list[str]:
    key = _LABELS.get(item["type"])
    if key is None:
        names = [label for naming in marks.names.get(item["id"], ()) for label in _labels(naming, marks)]
        return list(dict.fromkeys(names))
    labels = item["value"].get(key)
    return texts(labels, "labels") if labels else []


def _kind(item: Item) -> str:
    value = item["value"]
    for key, kind in _TELLING:
        if key in value:
            return "segment" if kind == "span" and "original_length" in item else kind
    raise InputError("its regions have no shape that is known")
