"""Outlines: polygons, ellipses and turned rectangles, whose overlap shapely computes.

In percent of the image's width on both axes, so that turning keeps angles; overlap shares do not depend on that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from labelloop.geometry.shapes import FloatArray, IntArray, overlap_share

CORNERS_OF_ELLIPSE: Final = 64  # the polygon through them has 99.8 % of its area
_RECTANGLE: Final = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
_ANGLES: Final = np.linspace(0.0, 2.0 * np.pi, CORNERS_OF_ELLIPSE, endpoint=False)
_CIRCLE: Final = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])


@dataclass(frozen=True)
class Outlines:
    """One valid shapely geometry for each shape."""

    geometry: Any

    @property
    def bounds(self) -> FloatArray:
        """Left, top, right, bottom."""
        return np.asarray(shapely.bounds(self.geometry))

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """Intersection over union of each two areas."""
        first, second = self.geometry[one], self.geometry[other]
        common = shapely.area(shapely.intersection(first, second))
        union = shapely.area(first) + shapely.area(second) - common
        return overlap_share(common, union, shapely.equals(first, second))


def turned_rectangles(box: FloatArray, rotation: FloatArray, aspect: FloatArray) -> Outlines:
    """Rectangles x, y, width, height turned clockwise about their upper left corner.

    >>> turned = turned_rectangles(np.array([[5.0, 0.0, 2.0, 1.0]]), np.array([90.0]), np.array([1.0]))
    >>> turned.bounds.round(6).tolist()
    [[4.0, 0.0, 5.0, 2.0]]
    """
    return _through(_turned(_RECTANGLE * box[:, None, 2:], box[:, :2], rotation, aspect))


def ellipses(ellipse: FloatArray, rotation: FloatArray, aspect: FloatArray) -> Outlines:
    """Ellipses x, y, horizontal and vertical radius, turned clockwise about their middle."""
    return _through(_turned(_CIRCLE * ellipse[:, None, 2:], ellipse[:, :2], rotation, aspect))


def polygons(corner: FloatArray, owner: IntArray, n: int, aspect: FloatArray) -> Outlines:
    """Polygons through their corners x, y; `owner` (ascending) tells whose each is, one or more for each.

    One that crosses itself is what it encloses; one without area touches nothing.
    """
    scaled = np.column_stack([corner[:, 0], corner[:, 1] * aspect[owner]])
    # A ring ends where it began, and has four corners at least.
    again = np.repeat(np.arange(n), 3)
    closed = np.concatenate([scaled, scaled[np.searchsorted(owner, again)]])
    whose = np.concatenate([owner, again])
    order = np.argsort(whose, kind="stable")
    rings = shapely.linearrings(closed[order], indices=whose[order])
    return _valid(shapely.polygons(rings))


def _turned(arm: FloatArray, pivot: FloatArray, rotation: FloatArray, aspect: FloatArray) -> FloatArray:
    """Corners (shapes x corners x 2): arms in percent, turned about the pivot."""
    cosine, sine = np.cos(np.deg2rad(rotation))[:, None], np.sin(np.deg2rad(rotation))[:, None]
    across, down = arm[..., 0], arm[..., 1] * aspect[:, None]
    x = pivot[:, :1] + across * cosine - down * sine
    y = pivot[:, 1:] * aspect[:, None] + across * sine + down * cosine
    return np.stack([x, y], axis=-1)


def _through(corners: FloatArray) -> Outlines:
    return _valid(shapely.polygons(corners))


def _valid(geometry: Any) -> Outlines:
    return Outlines(shapely.make_valid(geometry, method="structure", keep_collapsed=False))
