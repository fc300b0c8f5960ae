"""Typicality (TypiClust): one typical reference from each part of the pool; best while labels are few."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.clusters import kmeans, turns
from labelloop.sampling.pool import Picks, Pool

NEIGHBOURS: Final = 20  # both from the paper
MOST_CLUSTERS: Final = 500
COMPARED: Final = 2000  # members of one cluster that typicality is measured against


def pick_typical(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """The most typical references of the clusters with the fewest labels, largest cluster first.

    k-means with min(labelled + n, 500) clusters over pool and labelled; typicality is the inverse mean distance
    to the 20 nearest of the same cluster. Score: share of the pool in the cluster minus the number labelled
    or chosen there before, so that it falls along the ranks. Source: Hacohen, Dekel and Weinshall, ICML 2022.
    """
    points = np.concatenate([pool.embedding, pool.labelled])
    k = min(n + len(pool.labelled), MOST_CLUSTERS, len(points))
    cluster = kmeans(points, k, rng)
    own = cluster[: len(pool)]
    before = np.bincount(cluster[len(pool) :], minlength=k)
    place = turns(own, _typicality(points[: len(pool)], own, k, rng), before)
    rows, scores = place.first(n)
    told = zip(place.size[rows], place.turn[rows], strict=True)
    reasons = [
        f"most typical left of a cluster of {size} with {turn} labelled or chosen before" for size, turn in told
    ]
    return Picks(rows, scores, None, reasons)


def _typicality(
    points: NDArray[np.float32], cluster: NDArray[np.intp], k: int, rng: np.random.Generator
) -> NDArray[np.floating]:
    """Typicality of each point within its own cluster."""
    order = np.argsort(cluster, kind="stable")
    found = np.empty(len(points))
    for members in np.split(order, np.cumsum(np.bincount(cluster, minlength=k))[:-1]):
        found[members] = typical(points[members], rng)
    return found


def typical(points: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.floating]:
    """Inverse mean distance of each point to its 20 nearest among these; a lone point scores 0.

    In large clusters the nearest are sought among 2,000 members drawn at random.

    >>> typical(np.array([[0.0], [1.0], [5.0]], dtype=np.float32), np.random.default_rng(0)).argmax()
    np.int64(1)
    """
    if len(points) < 2:
        return np.zeros(len(points))
    others = points if len(points) <= COMPARED else points[rng.permutation(len(points))[:COMPARED]]
    norms = np.einsum("ij,ij->i", points, points)[:, None]
    squared = norms + np.einsum("ij,ij->i", others, others) - 2.0 * (points @ others.T)
    nearest = min(NEIGHBOURS + 1, len(others))  # itself is among them, at distance 0
    closest = np.partition(np.maximum(squared, 0.0), nearest - 1, axis=1)[:, :nearest]
    mean = np.sqrt(closest).sum(axis=1) / (nearest - 1)
    return np.asarray(1.0 / np.maximum(mean, np.finfo(np.float32).tiny))
