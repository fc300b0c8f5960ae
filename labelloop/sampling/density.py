"""Density-weighted uncertainty: doubt about what is common in the pool, not about outliers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.pool import Picks, Pool
from labelloop.sampling.uncertainty import highest


def pick_dense(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """The n highest of uncertainty x information density.

    Source: Settles and Craven, EMNLP 2008, with an exponent of one.
    """
    density = information_density(pool.embedding)
    scores = np.power(pool.uncertainty, pool.objectives.uncertainty) * density
    rows = highest(scores, n, rng, pool.ref_ids)
    doubts = zip(pool.uncertainty[rows], density[rows], strict=True)
    return Picks(rows, scores[rows], None, [f"{pool.objectives.score} {u:.4f}, density {d:.3f}" for u, d in doubts])


def information_density(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Mean similarity of each of (N, d) points to all of them, in [0, 1].

    Similarity is (1 + cosine) / 2; a point at the origin has cosine 0 with every other. The mean of cosines is the
    cosine with the mean direction, so that all pairs cost one pass.

    >>> information_density(np.array([[1.0], [2.0], [-1.0]])).round(3).tolist()
    [0.667, 0.667, 0.333]
    """
    lengths = np.sqrt(np.einsum("ij,ij->i", points, points))
    shares = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    mean_direction = shares @ points / len(points)
    return np.asarray((1.0 + shares * (points @ mean_direction)) / 2.0)
