"""Tracks: boxes that move through the frames of a video, given at key frames and interpolated between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from labelloop.geometry.rectangles import Rectangles
from labelloop.geometry.shapes import FloatArray, IntArray


class Moment(NamedTuple):
    """Boxes x, y, width, height of one track, their rotation, and whether it is visible, at some frames.

    `aspect` is height / width of the video.
    """

    box: FloatArray
    rotation: FloatArray
    visible: Any
    aspect: float


@dataclass(frozen=True)
class Tracks:
    """Key frames of tracks, ascending within each; `first`: where each track begins, and the number of key frames.

    As in Label Studio a track moves evenly from key frame to key frame, ends at a key frame that is not `enabled`
    (which it still shows) until the next one, and stays where the last one left it. `aspect` is height / width.
    """

    frame: IntArray
    box: FloatArray
    rotation: FloatArray
    enabled: Any
    first: IntArray
    aspect: FloatArray

    @cached_property
    def bounds(self) -> FloatArray:
        """The box around all boxes of a track."""
        boxes = Rectangles(self.box, self.rotation, np.repeat(self.aspect, np.diff(self.first))).bounds
        starts = self.first[:-1]
        low, high = np.minimum.reduceat(boxes[:, :2], starts), np.maximum.reduceat(boxes[:, 2:], starts)
        return np.column_stack([low, high])

    def key_frames(self, tracks: IntArray) -> IntArray:
        """Every key frame of these tracks, ascending."""
        parts = [self.frame[self.first[track] : self.first[track + 1]] for track in tracks.tolist()]
        return np.asarray(np.unique(np.concatenate([np.empty(0, dtype=np.int64), *parts])))

    def at(self, track: int, frames: IntArray) -> Moment:
        """Where a track is at these frames.

        >>> keys = Tracks(np.array([0, 10]), np.array([[0.0, 0, 2, 2], [10.0, 0, 2, 2]]), np.zeros(2),
        ...     np.array([True, False]), np.array([0, 2]), np.ones(1))
        >>> found = keys.at(0, np.array([5, 10, 11]))
        >>> found.box[0].tolist(), found.visible.tolist()
        ([5.0, 0.0, 2.0, 2.0], [True, True, False])
        """
        keys = slice(int(self.first[track]), int(self.first[track + 1]))
        known, box, rotation = self.frame[keys], self.box[keys], self.rotation[keys]
        place = np.searchsorted(known, frames, side="right") - 1
        last, then = np.maximum(place, 0), np.minimum(place + 1, len(known) - 1)
        share = (frames - known[last]) / np.maximum(known[then] - known[last], 1)
        share = np.where(then > last, share, 0.0)
        visible = (place >= 0) & (self.enabled[keys][last] | (known[last] == frames))
        between = box[last] + share[:, None] * (box[then] - box[last])
        turned = rotation[last] + share * (rotation[then] - rotation[last])
        return Moment(between, turned, visible, float(self.aspect[track]))

    def similarity(self, one: IntArray, other: IntArray) -> FloatArray:
        """Mean overlap of each two over the key frames of both at which either is visible."""
        pairs = zip(one.tolist(), other.tolist(), strict=True)
        return np.array([self._similarity(a, b) for a, b in pairs], dtype=np.float64)

    def _similarity(self, one: int, other: int) -> float:
        frames = self.key_frames(np.array([one, other]))
        first, second = self.at(one, frames), self.at(other, frames)
        return float(overlap(first, second)[first.visible | second.visible].mean())


def overlap(first: Moment, second: Moment) -> FloatArray:
    """Intersection over union of two tracks at the same frames; 0 where one of them is not visible."""
    n = len(first.visible)
    boxes = Rectangles(
        np.concatenate([first.box, second.box]),
        np.concatenate([first.rotation, second.rotation]),
        np.full(2 * n, first.aspect),
    )
    here = np.arange(n)
    return np.where(first.visible & second.visible, boxes.similarity(here, here + n), 0.0)
