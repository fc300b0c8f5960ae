"""Clusters of embeddings: Lloyd's k-means that gives the same answer on every run.

scikit-learn's sums its threads' parts in the order in which they finish, which is no order.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import kmeans_plusplus

ROUNDS: Final = 25
LARGEST_SAMPLE: Final = 20_000  # rows the centres are fitted on; all rows are assigned
BLOCK: Final = 8192


class Turns(NamedTuple):
    """For each of n rows the `size` of its cluster and its `turn` there: how many are labelled or come before it."""

    size: NDArray[np.intp]
    turn: NDArray[np.intp]

    def first(self, n: int) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
        """The n rows whose turn comes first, of equal turns the larger cluster; and a score that falls along them."""
        rows = np.lexsort((-self.size, self.turn))[:n]
        return rows, self.size[rows] / len(self.size) - self.turn[rows]


def turns(cluster: NDArray[np.intp], quality: NDArray[np.floating], before: NDArray[np.intp]) -> Turns:
    """The turn of each row in its cluster: best quality first, after what is labelled there.

    Args:
        cluster: (n,) in 0..k-1.
        quality: (n,) of equal ones the earlier row comes first.
        before: (k,) labelled members of each cluster.

    >>> turns(np.array([0, 0, 1]), np.array([0.1, 0.9, 0.5]), np.array([0, 3])).turn.tolist()
    [1, 0, 3]
    """
    size = np.bincount(cluster, minlength=len(before))
    order = np.lexsort((-quality, cluster))
    turn = np.empty(len(cluster), dtype=np.intp)
    turn[order] = np.arange(len(cluster)) - np.repeat(np.cumsum(size) - size, size)
    return Turns(size[cluster], turn + before[cluster])


def kmeans(points: NDArray[np.float32], k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Cluster of each of (N, d) points, in 0..k-1; a cluster may stay empty when points coincide.

    k-means++ start (Arthur and Vassilvitskii, 2007), at most 25 of Lloyd's rounds on at most 20,000 points.

    >>> kmeans(np.array([[0.0], [0.1], [9.0]], dtype=np.float32), 2, np.random.default_rng(0)).size
    3
    """
    sample = points
    if len(points) > LARGEST_SAMPLE:
        sample = points[np.sort(rng.permutation(len(points))[:LARGEST_SAMPLE])]
    centres, _ = kmeans_plusplus(sample, k, random_state=int(rng.integers(2**31)))
    cluster = nearest(sample, centres)
    for _ in range(ROUNDS):
        centres = means(sample, cluster, centres)
        moved = nearest(sample, centres)
        if np.array_equal(moved, cluster):
            break
        cluster = moved
    return nearest(points, centres)


def nearest(points: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.intp]:
    """Index of the nearest centre for each point; of equally near ones the first."""
    lengths = np.einsum("ij,ij->i", centres, centres)
    blocks = [points[start : start + BLOCK] for start in range(0, len(points), BLOCK)]
    return np.concatenate([(lengths - 2.0 * (block @ centres.T)).argmin(axis=1) for block in blocks])


def means(
    points: NDArray[np.float32], cluster: NDArray[np.intp], centres: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Mean of each cluster (k, d); an empty one keeps its centre.

    >>> means(np.array([[0.0], [2.0]], dtype=np.float32), np.array([0, 0]), np.array([[7.0], [9.0]])).tolist()
    [[1.0], [9.0]]
    """
    order = np.argsort(cluster, kind="stable")
    present, starts, counts = np.unique(cluster[order], return_index=True, return_counts=True)
    means = centres.copy()
    means[present] = np.add.reduceat(points[order], starts, axis=0) / counts[:, None].astype(np.float32)
    return means
