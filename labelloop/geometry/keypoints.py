"""Points: alike when they are near, by the similarity of key points that COCO uses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labelloop.errors import InputError
from labelloop.geometry.shapes import FloatArray, IntArray

FARTHEST = 3.0  # tolerances apart: beyond, a similarity below 0.012 counts as none


@dataclass(frozen=True)
class Keypoints:
    """Points in percent of the image; `tolerance` is the distance, in percent, that still is near."""

    x: FloatArray
    y: FloatArray
    tolerance: float

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"the tolerance of key points is {self.tolerance}", remedy="give a percentage above 0")

    @property
    def bounds(self) -> FloatArray:
        """The square around each point in which another may lie that is near."""
        reach = FARTHEST * self.tolerance / 2.0
        return np.column_stack([self.x - reach, self.y - reach, self.x + reach, self.y + reach])

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """exp(-d^2 / (2 tolerance^2)) of the distance d in percent: object key point similarity (COCO, 2016).

        A key point alone has no object whose size could scale the tolerance, so the image does.

        >>> Keypoints(np.array([10.0, 12.0]), np.array([10.0, 10.0]), 2.0).similarity(np.array([0]), np.array([1]))
        array([0.60653066])
        """
        squared = (self.x[one] - self.x[other]) ** 2 + (self.y[one] - self.y[other]) ** 2
        return np.exp(-squared / (2.0 * self.tolerance**2))
