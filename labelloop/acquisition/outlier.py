"""Outlier scores: how unlike what is known an embedding is. Higher is stranger; worth a look, or noise.

Points are (n, d), finite. Distances are Euclidean and found block by block, in bounded memory.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

BLOCK: Final = 2048
NEIGHBOURS: Final = 10


def knn_distance(
    points: NDArray[np.floating], known: NDArray[np.floating], *, neighbours: int = NEIGHBOURS, apart: bool = False
) -> NDArray[np.floating]:
    """Distance of each point to its k-th nearest known one, >= 0.

    Source: Ramaswamy, Rastogi and Shim, SIGMOD 2000. With fewer than k known points the farthest counts; with none,
    every point scores 0.

    Args:
        points: (n, d).
        known: (m, d) what to compare with; `points` itself with `apart=True`.
        neighbours: k >= 1.
        apart: whether each point finds itself among the known, which then does not count.

    >>> points = np.array([[0.0], [1.0], [9.0]])
    >>> knn_distance(points, points, neighbours=1, apart=True).tolist()
    [1.0, 1.0, 8.0]
    """
    place = min(neighbours + apart, len(known)) - 1
    if place < 0:
        return np.zeros(len(points))
    lengths = np.einsum("ij,ij->i", known, known)
    found = [_kth_squared(points[at : at + BLOCK], known, lengths, place) for at in range(0, len(points), BLOCK)]
    return np.asarray(np.sqrt(np.concatenate([*found, np.zeros(0)])))


def mahalanobis(points: NDArray[np.floating], known: NDArray[np.floating]) -> NDArray[np.floating]:
    """Distance of each point from the mean of the known in units of their spread, >= 0.

    sqrt((x - m)' S^-1 (x - m)), S the covariance shrunk by Ledoit and Wolf (2004), so that it has an inverse with
    fewer points than dimensions. With fewer than two known points, or all alike, it is the distance from the mean.
    Source: Mahalanobis, 1936.

    >>> known = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    >>> mahalanobis(np.array([[0.0, 0.0], [3.0, 0.0]]), known).round(2).tolist()
    [0.0, 4.24]
    """
    if not len(known):
        return np.zeros(len(points))
    centre = known.mean(axis=0)
    width = len(centre)
    spread = ledoit_wolf(known)[0] if len(known) > 1 else np.zeros((width, width))
    mean_variance = np.trace(spread) / width
    # what does not vary at all would leave the matrix without an inverse
    scale = np.linalg.cholesky(spread + 1e-9 * mean_variance * np.eye(width)) if mean_variance > 0 else np.eye(width)
    return np.asarray(np.linalg.norm(np.linalg.solve(scale, (points - centre).T), axis=0))


def _kth_squared(
    block: NDArray[np.floating], known: NDArray[np.floating], lengths: NDArray[np.floating], place: int
) -> NDArray[np.floating]:
    squared = np.einsum("ij,ij->i", block, block)[:, None] + lengths - 2.0 * (block @ known.T)
    return np.maximum(np.partition(squared, place, axis=1)[:, place], 0.0)
