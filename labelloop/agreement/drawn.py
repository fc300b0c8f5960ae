"""From the columns of stored answers to shapes: one reader for each kind, which refuses what cannot be placed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.errors import InputError, NotEstimable
from labelloop.geometry.brush import covered_runs, opaque_runs
from labelloop.geometry.intervals import Intervals
from labelloop.geometry.keypoints import Keypoints
from labelloop.geometry.masks import Runs, masks_of
from labelloop.geometry.outlines import ellipses, polygons
from labelloop.geometry.rectangles import Rectangles
from labelloop.geometry.shapes import Shapes
from labelloop.geometry.tracks import Tracks

_POINTS: Final = pa.list_(pa.float64())
_KEY_FRAMES: Final = pa.list_(pa.struct([("frame", pa.int64()), ("points", _POINTS)]))


@dataclass(frozen=True)
class Drawn:
    """Regions as they were stored (`items`) and the `answer` of each; the `unit` and `raw` JSON of each answer."""

    items: pa.StructArray
    answer: IntArray
    unit: IntArray
    raw: pa.ChunkedArray | None
    tolerance: float

    def results(self, answer: int) -> list[dict[str, Any]]:
        """What Label Studio stored of an answer; read when needed, since masks are large."""
        stored = None if self.raw is None else self.raw[answer].as_py()
        found = json.loads(stored) if stored else []
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    def numbers(self, name: str, empty: float | None = None) -> FloatArray:
        """A field of all regions; without a value it is `empty`, or refused."""
        column = field(self.items, name)
        if column is None or pa.types.is_null(column.type):
            column = pa.nulls(len(self.answer), pa.float64())
        found = pc.fill_null(column.cast(pa.float64()), np.nan if empty is None else empty).to_numpy(False)
        _refuse(~np.isfinite(found), f"have no finite {name}")
        return np.asarray(found)

    def points(self) -> tuple[FloatArray, IntArray]:
        """All coordinates, NaN where there is none, and how many each region has."""
        column = field(self.items, "points")
        if column is None or pa.types.is_null(column.type):
            column = pa.nulls(len(self.answer), _POINTS)
        size = pc.fill_null(pc.list_value_length(column), 0).to_numpy(False).astype(np.int64)
        return pc.fill_null(column.flatten().cast(pa.float64()), np.nan).to_numpy(False), size

    def table(self, width: int) -> FloatArray:
        """Coordinates of shapes that all have `width` of them."""
        flat, size = self.points()
        _refuse(size != width, f"have not {width} coordinates")
        _refuse_infinite(flat)
        return flat.reshape(-1, width)

    def aspect(self, turned: Any) -> FloatArray:
        """Height / width of the image of each region; 1 in units where nothing is turned, or where nobody tells."""
        aspect = np.ones(int(self.unit.max(initial=-1)) + 1)
        concerned = np.isin(self.unit, self.unit[self.answer[turned]])
        for answer in np.flatnonzero(concerned).tolist():
            aspect[self.unit[answer]] = _aspect(self.results(answer)) or aspect[self.unit[answer]]
        return np.asarray(aspect[self.unit[self.answer]])


def _rectangles(drawn: Drawn) -> Shapes:
    rotation = drawn.numbers("rotation", 0.0)
    return Rectangles(_boxes(drawn), rotation, drawn.aspect(rotation % 360.0 != 0.0))


def _ellipses(drawn: Drawn) -> Shapes:
    rotation = drawn.numbers("rotation", 0.0)
    return ellipses(_boxes(drawn), rotation, drawn.aspect(rotation % 360.0 != 0.0))


def _polygons(drawn: Drawn) -> Shapes:
    flat, size = drawn.points()
    _refuse((size == 0) | (size % 2 > 0), "have no corners")
    _refuse_infinite(flat)
    owner = np.repeat(np.arange(len(size)), size // 2)
    return polygons(flat.reshape(-1, 2), owner, len(size), np.ones(len(size)))


def _keypoints(drawn: Drawn) -> Shapes:
    flat, size = drawn.points()
    _refuse(size < 2, "have no x and y")
    place = flat[(np.cumsum(size) - size)[:, None] + np.arange(2)]  # a width may follow, or not
    _refuse_infinite(place)
    return Keypoints(place[:, 0], place[:, 1], drawn.tolerance)


def _masks(drawn: Drawn) -> Shapes:
    masks = [_masks_in(drawn.results(answer)) for answer in range(len(drawn.unit))]
    ids = field(drawn.items, "region_id")
    names = [None] * len(drawn.answer) if ids is None else ids.to_pylist()
    found = [masks[answer].get(name) for answer, name in zip(drawn.answer.tolist(), names, strict=True)]
    _refuse(np.array([runs is None for runs in found], dtype=bool), "have no mask in raw")
    return masks_of([runs for runs in found if runs is not None])


def _intervals(drawn: Drawn) -> Shapes:
    start, end = field(drawn.items, "start"), field(drawn.items, "end")
    if start is not None and end is not None and start.null_count + end.null_count:
        raise NotEstimable("where spans of HTML and dialogues are is known to their page only")
    start, end = drawn.numbers("start"), drawn.numbers("end")
    _refuse(end < start, "end before they start")
    return Intervals(start, end)


def _tracks(drawn: Drawn) -> Shapes:
    lists = field(drawn.items, "frames")
    lists = pa.nulls(len(drawn.answer), _KEY_FRAMES) if lists is None or pa.types.is_null(lists.type) else lists
    size = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(False).astype(np.int64)
    _refuse(size == 0, "have no key frames")
    owner = np.repeat(np.arange(len(size)), size)
    keys = replace(drawn, items=lists.flatten(), answer=drawn.answer[owner])
    box, rotation, frame = _boxes(keys), keys.numbers("rotation", 0.0), keys.numbers("frame").astype(np.int64)
    enabled = keys.numbers("enabled", 1.0) > 0
    order = np.lexsort((frame, owner))
    _refuse(
        (np.diff(owner[order]) == 0) & (np.diff(frame[order]) == 0), "repeat a frame of their track", "key frames"
    )
    turned = np.bincount(owner, weights=rotation % 360.0 != 0.0, minlength=len(size)) > 0
    first = np.concatenate([[0], np.cumsum(size)])
    return Tracks(frame[order], box[order], rotation[order], enabled[order], first, drawn.aspect(turned))


def _boxes(drawn: Drawn) -> FloatArray:
    box = drawn.table(4)
    _refuse((box[:, 2:] < 0).any(axis=1), "have a negative width, height or radius")
    return box


SHAPES: Final[Mapping[str, Callable[[Drawn], Shapes]]] = MappingProxyType(
    {
        "rectangle": _rectangles,
        "ellipse": _ellipses,
        "polygon": _polygons,
        "keypoint": _keypoints,
        "mask": _masks,
        "span": _intervals,
        "segment": _intervals,
        "timeline": _intervals,
        "track": _tracks,
    }
)


def field(items: pa.StructArray, name: str) -> pa.Array | None:
    """A field of all regions, None when they have no such field."""
    return pc.struct_field(items, name) if items.type.get_field_index(name) >= 0 else None


def _refuse(wrong: Any, why: str, what: str = "regions") -> None:
    if n := int(np.count_nonzero(wrong)):
        raise InputError(f"{n} {what} {why}", remedy="quarantine the answers they belong to")


def _refuse_infinite(coordinates: FloatArray) -> None:
    _refuse(~np.isfinite(coordinates), "are no finite numbers", what="coordinates")


def _aspect(results: list[dict[str, Any]]) -> float | None:
    sizes = [(one.get("original_width"), one.get("original_height")) for one in results]
    return next((float(height) / float(width) for width, height in sizes if width and height), None)


def _masks_in(results: list[dict[str, Any]]) -> dict[str, Runs]:
    """The covered pixels of each mask by its region."""
    values = {one["id"]: one.get("value") or {} for one in results if "id" in one}
    strokes = {name: covered_runs(value["rle"]) for name, value in values.items() if "rle" in value}
    images = {name: value["imageDataURL"] for name, value in values.items() if "imageDataURL" in value}
    return strokes | {name: opaque_runs(image) for name, image in images.items()}
