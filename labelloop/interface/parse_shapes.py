"""Marks on images: rectangles, ellipses, keypoints, polygons and masks, in percent of the image.

Which control drew what is found out in `parse_regions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from labelloop.errors import InputError
from labelloop.interface.answer import Item
from labelloop.interface.parse_values import number
from labelloop.interface.region import Region

SIDES: Final = ("x", "y", "width", "height")


def points_of(value: Item, sides: tuple[str, ...]) -> list[float]:
    """Return these sides of a shape.

    Raises:
        InputError: one of them is no finite number.
    """
    return [number(value.get(side), side) for side in sides]


def rotation_of(value: Item) -> float | None:
    """Return by how many degrees a shape is turned clockwise, None where it does not say.

    Raises:
        InputError: it is no finite number.
    """
    return None if value.get("rotation") is None else number(value["rotation"], "rotation")


def _rectangle(mark: str, labels: list[str], value: Item) -> list[Region]:
    said = value.get("ocrtext")
    text = said if isinstance(said, str) else None
    return [Region(mark, labels, points_of(value, SIDES), rotation_of(value), text=text)]


def _ellipse(mark: str, labels: list[str], value: Item) -> list[Region]:
    return [Region(mark, labels, points_of(value, ("x", "y", "radiusX", "radiusY")), rotation_of(value))]


def _keypoint(mark: str, labels: list[str], value: Item) -> list[Region]:
    # Label Studio's own client makes keypoints without a width.
    width = None if value.get("width") is None else number(value["width"], "width")
    return [Region(mark, labels, [*points_of(value, ("x", "y")), width])]


def _polygon(mark: str, labels: list[str], value: Item) -> list[Region]:
    corners = value.get("points")
    if not isinstance(corners, list) or not all(isinstance(corner, list) and len(corner) == 2 for corner in corners):
        raise InputError("its corners are not pairs")
    return [Region(mark, labels, [number(side, "corner") for corner in corners for side in corner])]


def _mask(mark: str, labels: list[str], _value: Item) -> list[Region]:
    return [Region(mark, labels, [])]


SHAPES: Final[Mapping[str, Callable[[str, list[str], Item], list[Region]]]] = {
    "rectangle": _rectangle,
    "ellipse": _ellipse,
    "keypoint": _keypoint,
    "polygon": _polygon,
    "mask": _mask,
}
