"""Rectangles, straight or turned, in percent of the image as Label Studio gives them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from labelloop.geometry.outlines import Outlines, turned_rectangles
from labelloop.geometry.shapes import FloatArray, IntArray, overlap_share


@dataclass(frozen=True)
class Rectangles:
    """`box` is x, y, width, height (n x 4) in percent, turned clockwise by `rotation` degrees about the upper left.

    `aspect` is height / width of the image: percentages of its two sides are of different length.
    """

    box: FloatArray
    rotation: FloatArray
    aspect: FloatArray

    @cached_property
    def bounds(self) -> FloatArray:
        """Left, top, right, bottom."""
        bounds = np.column_stack([self.box[:, :2], self.box[:, :2] + self.box[:, 2:]])
        turned = np.flatnonzero(self._is_turned)
        bounds[turned] = self._outlines.bounds[turned] if len(turned) else bounds[turned]
        return bounds

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """Intersection over union of each two; straight ones in closed form.

        >>> square = Rectangles(np.array([[0.0, 0, 2, 2], [1.0, 0, 2, 2]]), np.zeros(2), np.ones(2))
        >>> square.similarity(np.array([0]), np.array([1])).round(4).tolist()
        [0.3333]
        """
        found = straight_iou(self.bounds[one], self.bounds[other])
        turned = np.flatnonzero(self._is_turned[one] | self._is_turned[other])
        if len(turned):
            found[turned] = self._outlines.similarity(one[turned], other[turned])
        return found

    @cached_property
    def _is_turned(self) -> IntArray:
        return np.asarray(self.rotation % 360.0 != 0.0)

    @cached_property
    def _outlines(self) -> Outlines:
        return turned_rectangles(self.box, self.rotation, self.aspect)


def straight_iou(one: FloatArray, other: FloatArray) -> FloatArray:
    """Intersection over union of each two rows of left, top, right, bottom.

    >>> straight_iou(np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 0, 4, 4]])).tolist()
    [0.5]
    """
    width = np.minimum(one[:, 2], other[:, 2]) - np.maximum(one[:, 0], other[:, 0])
    height = np.minimum(one[:, 3], other[:, 3]) - np.maximum(one[:, 1], other[:, 1])
    common = np.maximum(width, 0.0) * np.maximum(height, 0.0)
    return overlap_share(common, _area(one) + _area(other) - common, np.all(one == other, axis=1))


def _area(box: FloatArray) -> FloatArray:
    return np.asarray((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))
