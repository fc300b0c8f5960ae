"""Intervals on a line: spans of text, segments of sound or of a time series, stretches of a time line.

In the line's own unit: characters, seconds or frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from labelloop.geometry.shapes import FloatArray, IntArray, overlap_share


@dataclass(frozen=True)
class Intervals:
    """From `start` to `end` (not before it), one entry for each interval."""

    start: FloatArray
    end: FloatArray

    @property
    def length(self) -> FloatArray:
        """How long each is."""
        return self.end - self.start

    @property
    def bounds(self) -> FloatArray:
        """Start and end as left and right; a line has no height."""
        flat = np.zeros(len(self.start))
        return np.column_stack([self.start, flat, self.end, flat])

    def common(self, one: IntArray, other: IntArray) -> FloatArray:
        """Length that each two share."""
        shared = np.minimum(self.end[one], self.end[other]) - np.maximum(self.start[one], self.start[other])
        return np.asarray(np.maximum(shared, 0.0))

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """Intersection over union of each two.

        >>> Intervals(np.array([0.0, 5.0]), np.array([10.0, 15.0])).similarity(np.array([0]), np.array([1])).round(4)
        array([0.3333])
        """
        common = self.common(one, other)
        same = (self.start[one] == self.start[other]) & (self.end[one] == self.end[other])
        return overlap_share(common, self.length[one] + self.length[other] - common, same)
