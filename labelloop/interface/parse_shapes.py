"""Marks on images: rectangles, ellipses, keypoints, polygons and masks, in percent of the image.

Which control drew what is found out in `parse_regions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, Final

from labelloop.errors import InputError
from labelloop.interface.answer import Item
from labelloop.interface.parse_values import number, numbers
from labelloop.interface.region import Region

_SIDES: Final = itemgetter("x", "y", "width", "height")
_RADII: Final = itemgetter("x", "y", "radiusX", "radiusY")
_CENTRE: Final = itemgetter("x", "y")


def rectangle_of(value: Item) -> list[float]:
    """Return x, y, width and height.

    Raises:
        InputError: one of them is missing, or no finite number.
    """
    return _points(value, _SIDES)


def rotation_of(value: Item) -> float | None:
    """Return by how many degrees a shape is turned clockwise, None where it does not say.

    Raises:
        InputError: it is no finite number.
    """
    rotation = value.get("rotation")
    return None if rotation is None else number(rotation, "rotation")


def _rectangle(mark: str, labels: list[str], value: Item) -> list[Region]:
    said = value.get("ocrtext")
    text = said if isinstance(said, str) else None
    return [Region(mark, labels, _points(value, _SIDES), rotation_of(value), None, None, text)]


def _ellipse(mark: str, labels: list[str], value: Item) -> list[Region]:
    return [Region(mark, labels, _points(value, _RADII), rotation_of(value))]


def _keypoint(mark: str, labels: list[str], value: Item) -> list[Region]:
    # Label Studio's own client makes keypoints without a width.
    width = None if value.get("width") is None else number(value["width"], "width")
    return [Region(mark, labels, [*_points(value, _CENTRE), width])]


def _polygon(mark: str, labels: list[str], value: Item) -> list[Region]:
    corners = value.get("points")
    if not isinstance(corners, list) or not all(isinstance(corner, list) and len(corner) == 2 for corner in corners):
        raise InputError("its corners are not pairs")
    return [Region(mark, labels, numbers([side for corner in corners for side in corner], "corners"))]


def _mask(mark: str, labels: list[str], _value: Item) -> list[Region]:
    return [Region(mark, labels, [])]


def _points(value: Item, sides: itemgetter[tuple[Any, ...]]) -> list[float]:
    try:
        return numbers(sides(value), "sides")
    except KeyError as side:
        raise InputError(f"it has no {side.args[0]}") from None


SHAPES: Final[Mapping[str, Callable[[str, list[str], Item], list[Region]]]] = {
    "rectangle": _rectangle,
    "ellipse": _ellipse,
    "keypoint": _keypoint,
    "polygon": _polygon,
    "mask": _mask,
}
