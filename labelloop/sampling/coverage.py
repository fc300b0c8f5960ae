"""Farthest-first traversal: the greedy engine beneath k-center and hybrid.

Each pick maximises weight x distance to the nearest point already covered. That product can only
fall as picks are made, so old values are upper bounds: a short list of the highest is kept exact, and the whole
pool is brought up to date (one matrix product for all picks since) only when a bound outside the
list could win. The picks are those of the one-at-a-time greedy; the work is that of a GEMM.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SHORT_LIST: Final = 4096  # rows that stay in cache while picks are made among them
BLOCK: Final = 8192  # rows of the pool, and
CENTRES: Final = 1024  # covered points, in one matrix product: 32 MB


def farthest_first(
    points: Floats, n: int, *, first: int, weights: Floats | None = None, covered: Floats
) -> tuple[NDArray[np.intp], Floats]:
    """Rows of n greedy picks in order, and weight x distance of each when it was picked.

    Args:
        points: (N, d), centred; N >= n >= 1.
        n: number of picks.
        first: the row to begin with when nothing is covered; it is given the height of the second pick.
        weights: (N,) >= 0, or None for ones.
        covered: (m, d) points already covered, m >= 0.

    Ties go to the earlier row of the short list. Source: Gonzalez, 1985; Sener and Savarese, ICLR 2018.
    """
    norms = np.einsum("ij,ij->i", points, points)
    importance = np.ones(len(points), dtype=np.float32) if weights is None else weights**2
    gains = np.full(len(points), np.inf, dtype=np.float32)
    rows: list[int] = []
    heights: list[float] = []
    pending = covered
    if not len(covered):
        rows, heights, pending = [first], [np.inf], points[[first]]
    while len(rows) < n:
        _lower(gains, points, norms, importance, pending)
        gains[rows] = -1.0
        chosen, reached = _among_the_highest(gains, points, norms, importance, n - len(rows))
        rows += chosen
        heights += reached
        pending = points[chosen]
    if not len(covered):
        heights[0] = heights[1] if n > 1 else 0.0
    return np.array(rows, dtype=np.intp), np.sqrt(np.array(heights, dtype=np.float32))


def _lower(gains: Floats, points: Floats, norms: Floats, importance: Floats, centres: Floats) -> None:
    """Bring every gain up to date with these centres, block by block."""
    for start in range(0, len(points), BLOCK):
        part = slice(start, start + BLOCK)
        for begin in range(0, len(centres), CENTRES):
            some = centres[begin : begin + CENTRES]
            products = points[part] @ some.T
            products *= -2.0
            products += np.einsum("ij,ij->i", some, some)
            squared = np.maximum(products.min(axis=1) + norms[part], 0.0)
            np.minimum(gains[part], squared * importance[part], out=gains[part])


def _among_the_highest(
    gains: Floats, points: Floats, norms: Floats, importance: Floats, n: int
) -> tuple[list[int], list[float]]:
    """Greedy picks as long as none outside the short list could beat them; at least one."""
    size = min(SHORT_LIST, len(gains))
    order = np.argpartition(-gains, size - 1)
    listed = np.sort(order[:size])
    bar = gains[order[size:]].max(initial=-np.inf)
    near, length, weight, current = points[listed], norms[listed], importance[listed], gains[listed]
    rows: list[int] = []
    heights: list[float] = []
    while len(rows) < n:
        best = int(current.argmax())
        if rows and (current[best] < bar or current[best] < 0):
            break
        rows.append(int(listed[best]))
        heights.append(float(current[best]))
        squared = np.maximum(length + length[best] - 2.0 * (near @ near[best]), 0.0)
        np.minimum(current, squared * weight, out=current)
        current[best] = -1.0
    return rows, heights
