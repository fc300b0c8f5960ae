"""Masks as runs of pixels: as exact as an image of each, in a fraction of its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from labelloop.geometry.shapes import FloatArray, IntArray, overlap_share

Runs = tuple[IntArray, IntArray]


@dataclass(frozen=True)
class Masks:
    """Runs of covered pixels, rows of the image one behind the other: `start` to `end`, ascending within each mask.

    `first` is the place of the first run of each mask, and the number of runs.
    """

    start: IntArray
    end: IntArray
    first: IntArray

    @cached_property
    def area(self) -> FloatArray:
        """Covered pixels of each mask."""
        return np.diff(self._covered[self.first]).astype(np.float64)

    @cached_property
    def bounds(self) -> FloatArray:
        """First and last covered pixel as left and right; NaN, which touches nothing, for an empty mask."""
        bounds = np.zeros((len(self.first) - 1, 4))
        full = np.flatnonzero(np.diff(self.first))
        bounds[:, [0, 2]] = np.nan
        bounds[full, 0], bounds[full, 2] = self.start[self.first[full]], self.end[self.first[full + 1] - 1]
        return bounds

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """Intersection over union of each two.

        >>> masks_of([(np.array([0]), np.array([4])), (np.array([2]), np.array([6]))]).similarity(
        ...     np.array([0]), np.array([1])
        ... ).round(4).tolist()
        [0.3333]
        """
        size = self.first[one + 1] - self.first[one]
        pair = np.repeat(np.arange(len(one)), size)
        run = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size) + self.first[one][pair]
        shared = self._up_to(other[pair], self.end[run]) - self._up_to(other[pair], self.start[run])
        common = np.bincount(pair, weights=shared, minlength=len(one)).astype(np.float64)
        return overlap_share(common, self.area[one] + self.area[other] - common, one == other)

    @cached_property
    def _covered(self) -> IntArray:
        """Pixels in all runs before each."""
        return np.concatenate([[0], np.cumsum(self.end - self.start)])

    @cached_property
    def _key(self) -> IntArray:
        """Starts that ascend over all masks."""
        mask = np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))
        return mask * self._width + self.start

    @property
    def _width(self) -> int:
        return int(self.end.max(initial=0)) + 1

    def _up_to(self, mask: IntArray, pixel: IntArray) -> IntArray:
        """How many pixels before `pixel` the mask covers."""
        run = np.searchsorted(self._key, mask * self._width + pixel, side="right") - 1
        inside = run >= self.first[mask]
        run = np.maximum(run, 0)
        before = self._covered[run] - self._covered[self.first[mask]]
        return np.where(inside, before + np.minimum(pixel, self.end[run]) - self.start[run], 0)


def masks_of(runs: Sequence[Runs]) -> Masks:
    """The masks with these runs; runs of a mask ascend and do not touch."""
    nothing = np.empty(0, dtype=np.int64)
    first = np.concatenate([[0], np.cumsum([len(start) for start, _ in runs])]).astype(np.int64)
    start, end = (np.concatenate([nothing, *(part[side] for part in runs)]) for side in (0, 1))
    return Masks(start, end, first)


def runs_where(covered: NDArray[np.bool_]) -> Runs:
    """Runs of a row of truth values.

    >>> [part.tolist() for part in runs_where(np.array([False, True, True, False, True]))]
    [[1, 4], [3, 5]]
    """
    steps = np.diff(np.concatenate([[0], np.asarray(covered, dtype=np.int8).ravel(), [0]]))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
