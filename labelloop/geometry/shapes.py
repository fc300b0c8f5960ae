"""What every kind of shape can tell: the box that holds it, and how alike two of them are."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int64]
FloatArray: TypeAlias = NDArray[np.float64]


class Shapes(Protocol):
    """Shapes of one kind, many at once; a shape is named by its place."""

    @property
    def bounds(self) -> FloatArray:
        """Left, top, right and bottom of each shape, n x 4: two that do not touch here have nothing in common."""

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """How alike each two shapes are, 0 nothing in common, 1 the same."""


def overlap_share(common: FloatArray, union: FloatArray, same: FloatArray) -> FloatArray:
    """Intersection over union; two shapes without extent are alike (1) exactly where they are the same.

    >>> overlap_share(np.array([1.0, 0.0]), np.array([4.0, 0.0]), np.array([False, True])).tolist()
    [0.25, 1.0]
    """
    return np.where(union > 0, common / np.where(union > 0, union, 1.0), np.asarray(same, dtype=np.float64))
