"""Typicality (TypiClust): one typical reference from each part of the pool; best while labels are few."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.clusters import k_means
from labelloop.sampling.pool import Picks, Pool

NEIGHBOURS: Final = 20  # both from the paper
MOST_CLUSTERS: Final = 500
COMPARED: Final = 2000  # members of one cluster that typicality is measured against


class Place(NamedTuple):
    """The place of each reference in the order of choice: its cluster's `size`, its `turn` there, typicality."""

    size: NDArray[np.intp]
    turn: NDArray[np.intp]
    typicality: NDArray[np.floating]


def pick_typical(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """The most typical references of the clusters with the fewest labels, largest cluster first.

    k-means with min(labelled + n, 500) clusters over pool and labelled; typicality is the inverse mean distance
    to the 20 nearest of the same cluster. Score: share of the pool in the cluster minus the number labelled
    or chosen there before, so that it falls along the ranks. Source: Hacohen, Dekel and Weinshall, ICML 2022.
    """
    points = np.concatenate([pool.embedding, pool.labelled])
    k = min(n + len(pool.labelled), MOST_CLUSTERS, len(points))
    cluster = k_means(points, k, rng)
    place = _places(pool, cluster, k, rng)
    rows = np.lexsort((-place.size, place.turn))[:n]
    scores = place.size[rows] / len(pool) - place.turn[rows]
    reasons = [
        f"most typical left of a cluster of {place.size[row]} with {place.turn[row]} labelled or chosen before"
        for row in rows
    ]
    return Picks(rows, scores, None, reasons)


def _places(pool: Pool, cluster: NDArray[np.intp], k: int, rng: np.random.Generator) -> Place:
    before = np.bincount(cluster[len(pool) :], minlength=k)
    own = cluster[: len(pool)]
    order = np.argsort(own, kind="stable")
    size = np.bincount(own, minlength=k)
    turn = np.empty(len(pool), dtype=np.intp)
    typicality = np.empty(len(pool))
    for h, members in enumerate(np.split(order, np.cumsum(size)[:-1])):
        typicality[members] = typical(pool.embedding[members], rng)
        turn[members[np.argsort(-typicality[members], kind="stable")]] = before[h] + np.arange(len(members))
    return Place(size[own], turn, typicality)


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
