"""Where an object is that several annotators drew: mean of boxes, median of ends, else the most central shape."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.agreement.regions import Regions
from labelloop.geometry.intervals import Intervals

# How many coordinates of a shape that is not turned have a mean.
MEANS: Final[Mapping[str, int]] = MappingProxyType({"rectangle": 4, "ellipse": 4, "keypoint": 2})
STORED: Final = ("raw",)  # what a mask is read from, beside its region
ROUNDING: Final = 9  # digits: sums in another order are still equal


def places(control_type: str, regions: Regions, of: IntArray, weight: FloatArray) -> dict[str, pa.Array]:
    """The fields of one region per object, in the order of the objects.

    Coordinates of straight boxes, ellipses and key points are the weighted mean of those drawn (weighted box fusion,
    Solovyev, Wang and Gabruseva 2021); ends of intervals are medians; anything else is the drawn shape that is most
    like the others.

    Args:
        control_type: kind of the regions.
        regions: with their shapes.
        of: the object each region shows, 0 and up.
        weight: of each region.
    """
    items, central = regions.items, _central(regions, of, weight)
    chosen = items.take(pa.array(central))
    found = {field.name: pc.struct_field(chosen, field.name) for field in items.type}
    if control_type in MEANS:
        found["points"] = _mean_points(items, central, of, weight, MEANS[control_type])
    elif isinstance(regions.shapes, Intervals):
        start, end = _ends(regions.shapes, of, whole=control_type != "segment")
        quoted = (start == regions.shapes.start[central]) & (end == regions.shapes.end[central])
        found |= {"start": pa.array(start), "end": pa.array(end)}
        if "text" in found:  # of other ends nobody has quoted the text
            found["text"] = pc.if_else(pa.array(quoted), found["text"], pa.scalar(None, found["text"].type))
    elif control_type == "mask" and len(central):
        found["raw"] = _stored(regions, central)
    return found


def _stored(regions: Regions, central: IntArray) -> pa.Array:
    """What Label Studio stored of each of these masks, as JSON: its pixels are nowhere else."""
    of = regions.answer[central]
    stored = regions.kept["raw"].take(pa.array(np.unique(of))).to_pylist()
    masks = {answer: _masks_in(raw) for answer, raw in zip(np.unique(of).tolist(), stored, strict=True)}
    names = pc.struct_field(regions.items.take(pa.array(central)), "region_id").to_pylist()
    texts = [json.dumps(masks[answer][name]) for answer, name in zip(of.tolist(), names, strict=True)]
    return pa.array(texts, pa.string())


def _masks_in(raw: str) -> dict[str, Any]:
    """The items that hold pixels, by region; another of the same region holds its labels."""
    return {one["id"]: one for one in json.loads(raw) if {"rle", "imageDataURL"} & set(one.get("value") or ())}


def _ends(line: Intervals, of: IntArray, *, whole: bool) -> tuple[FloatArray, FloatArray]:
    """Start and end of each object; `whole` ones are ends that somebody chose."""
    start = _medians(line.start, of, "lower" if whole else "linear")
    return start, _medians(line.end, of, "higher" if whole else "linear")


def _central(regions: Regions, of: IntArray, weight: FloatArray) -> IntArray:
    """Of each object the region most like the others; among equals the one that begins leftmost and highest."""
    links = regions.touching.where(of[regions.touching.one] == of[regions.touching.other])
    alike = np.bincount(links.one, links.similarity * weight[links.other], minlength=len(of))
    alike += np.bincount(links.other, links.similarity * weight[links.one], minlength=len(of))
    order = np.lexsort((*regions.shapes.bounds.T[::-1], -np.round(alike, ROUNDING), of))
    return np.asarray(order[np.unique(of[order], return_index=True)[1]])


def _mean_points(items: pa.StructArray, central: IntArray, of: IntArray, weight: FloatArray, width: int) -> pa.Array:
    """Points of the central regions; the first coordinates are means, unless a region of the object is turned."""
    lists = pc.struct_field(items, "points")
    flat, first = _flat(lists)
    total = np.bincount(of, weights=weight)
    drawn = flat[first[:-1, None] + np.arange(width)]
    mean = np.column_stack([np.bincount(of, weights=weight * column) / total for column in drawn.T])
    straight = np.flatnonzero(np.bincount(of, weights=_turned(items), minlength=len(total)) == 0)
    fused, start = _flat(lists.take(pa.array(central)))
    fused[start[straight, None] + np.arange(width)] = mean[straight]
    return pa.ListArray.from_arrays(pa.array(start, pa.int32()), pa.array(fused, from_pandas=True))


def _turned(items: pa.StructArray) -> Any:
    if items.type.get_field_index("rotation") < 0:
        return np.zeros(len(items))
    rotation = pc.fill_null(pc.struct_field(items, "rotation").cast(pa.float64()), 0.0).to_numpy(False)
    return rotation % 360.0 != 0.0


def _flat(lists: pa.ListArray) -> tuple[FloatArray, IntArray]:
    first = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy(False))]).astype(np.int64)
    return np.array(lists.flatten().cast(pa.float64())), first


def _medians(values: FloatArray, of: IntArray, method: str) -> FloatArray:
    """Median of each object; of an even number the lower or the higher of the two in the middle, or between them."""
    order = np.lexsort((values, of))
    size = np.bincount(of)
    first = np.cumsum(size) - size
    low, high = values[order][first + (size - 1) // 2], values[order][first + size // 2]
    return np.asarray({"lower": low, "higher": high, "linear": (low + high) / 2.0}[method])
