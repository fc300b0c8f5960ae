"""Farthest-first traversal: the greedy engine beneath k-center and hybrid.

Each pick maximises weight x distance to the nearest point already covered. That product can only
fall as picks are made, so old values are upper bounds: a short list of the highest is kept exact, and the whole
pool is brought up to date (one matrix product for all picks since) only when a bound outside the
list could win. The picks are those of the one-at-a-time greedy; the work is that of a GEMM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SHORT_LIST: Final = 2048  # rows that stay in cache while picks are made among them
BLOCK: Final = 8192  # rows of the pool, and
CENTRES: Final = 1024  # covered points, in one matrix product: 32 MB


class Balance:
    """Lets a group count for less with each of its members covered: ((1 + before) / (1 + covered)) ^ strength."""

    def __init__(self, group: NDArray[np.intp], before: NDArray[np.intp], strength: float) -> None:
        """Hold the `group` of each row, an index into `before`, the members covered already; `strength` >= 0."""
        self.group, self.strength = group, strength
        self._before, self._covered = before, before.copy()

    def squared(self, rows: NDArray[np.intp] | slice, later: NDArray[np.intp] | int = 0) -> Floats:
        """The squared factor of these rows once `later` more members are covered, in (0, 1]; it can only fall."""
        group = self.group[rows]
        if not self.strength:
            return np.ones(len(group), dtype=np.float32)
        ratio = (1.0 + self._before[group]) / (1.0 + self._covered[group] + later)
        return np.power(ratio, 2.0 * self.strength, dtype=np.float32, casting="same_kind")

    def cover(self, row: int) -> None:
        """Count one more member of the row's group."""
        self._covered[self.group[row]] += 1


def farthest_first(
    points: Floats,
    n: int,
    *,
    first: int,
    covered: Floats,
    weights: Floats | None = None,
    centre: Floats | None = None,
    balance: Balance | None = None,
) -> tuple[NDArray[np.intp], Floats]:
    """Rows of n greedy picks in order, and weight x distance (x balance) of each when it was picked.

    Memory beside the points: a few numbers for each, and one block of products.

    Args:
        points: (N, d), as they are; N >= n >= 1.
        n: number of picks.
        first: the row to begin with when nothing is covered; it is given the height of the second pick.
        covered: (m, d) points already covered, centred, m >= 0.
        weights: (N,) >= 0, or None for ones.
        centre: (d,) that is subtracted from every point, None for zeros. Distances are found from lengths and inner
            products, which lose their digits far from the origin.
        balance: a further factor that falls as picks are made, or None.

    Ties go to the earlier row of the short list. Source: Gonzalez, 1985; Sener and Savarese, ICLR 2018.
    """
    cloud = _Cloud(points, np.zeros(points.shape[1], dtype=np.float32) if centre is None else centre, weights)
    even = balance or Balance(np.zeros(len(points), dtype=np.intp), np.zeros(1, dtype=np.intp), 0.0)
    gains = np.full(len(points), np.inf, dtype=np.float32)
    rows: list[int] = []
    heights: list[float] = []
    pending = covered
    if not len(covered):
        rows, heights, pending = [first], [np.inf], cloud.centred([first])
        even.cover(first)
    while len(rows) < n:
        cloud.lower(gains, pending)
        gains[rows] = -1.0
        chosen, reached = _among_the_highest(gains, cloud, even, n - len(rows))
        rows += chosen
        heights += reached
        pending = cloud.centred(chosen)
    if not len(covered):
        heights[0] = heights[1] if n > 1 else 0.0
    return np.array(rows, dtype=np.intp), np.sqrt(np.array(heights, dtype=np.float32))


class _Cloud:
    """Points with what their distances need: squared lengths about the centre, and squared weights."""

    def __init__(self, points: Floats, centre: Floats, weights: Floats | None) -> None:
        self.points, self.centre = points, centre
        starts = range(0, len(points), BLOCK)
        self.norms = np.concatenate([_squares(points[start : start + BLOCK] - centre) for start in starts])
        self.importance = np.ones(len(points), dtype=np.float32) if weights is None else weights**2

    def centred(self, rows: Sequence[int] | NDArray[np.intp]) -> Floats:
        return self.points[rows] - self.centre

    def lower(self, gains: Floats, covering: Floats) -> None:
        """Bring every gain up to date with these covering points, block by block."""
        for begin in range(0, len(covering), CENTRES):
            some = covering[begin : begin + CENTRES]
            # (x - m).c = x.c - m.c: subtracting the centre here saves a copy of all points
            offsets = (_squares(some) + 2.0 * (some @ self.centre))[:, None]
            doubled = -2.0 * some
            for start in range(0, len(self.points), BLOCK):
                part = slice(start, start + BLOCK)
                products = doubled @ self.points[part].T
                products += offsets
                squared = np.maximum(products.min(axis=0) + self.norms[part], 0.0)
                np.minimum(gains[part], squared * self.importance[part], out=gains[part])


def _squares(points: Floats) -> Floats:
    squares: Floats = np.einsum("ij,ij->i", points, points)
    return squares


def _among_the_highest(gains: Floats, cloud: _Cloud, balance: Balance, n: int) -> tuple[list[int], list[float]]:
    """Greedy picks as long as none outside the short list could beat them; at least one."""
    size = min(SHORT_LIST, len(gains))
    bounds = gains * balance.squared(slice(None))
    order = np.argpartition(bounds, len(gains) - size)
    listed = np.sort(order[len(gains) - size :])
    bar = bounds[order[: len(gains) - size]].max(initial=-np.inf)
    near, length, weight = cloud.centred(listed), cloud.norms[listed], cloud.importance[listed]
    current = gains[listed]
    rows: list[int] = []
    heights: list[float] = []
    while len(rows) < n:
        worth = current * balance.squared(listed)
        best = int(worth.argmax())
        if rows and (worth[best] < bar or worth[best] < 0):
            break
        rows.append(int(listed[best]))
        heights.append(float(worth[best]))
        balance.cover(rows[-1])
        squared = np.maximum(length + length[best] - 2.0 * (near @ near[best]), 0.0)
        np.minimum(current, squared * weight, out=current)
        current[best] = -1.0
    return rows, heights
