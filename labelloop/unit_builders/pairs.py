"""Pairs to compare: close in score, and such that every item can be placed against every other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Pairs = NDArray[np.intp]


def comparison_pairs(
    scores: NDArray[np.floating],
    *,
    per_item: int,
    fresh: NDArray[np.bool_],
    compared: Pairs,
    rng: np.random.Generator,
) -> Pairs:
    """New pairs (k, 2) that connect all items and give every fresh one its comparisons, the closest first.

    Old and new pairs together form a connected graph, without which Bradley-Terry strengths have no common scale
    (Ford, 1957). First come the closest neighbours in score that join what is still apart (Kruskal, 1956), then the
    nearest, second nearest, ... neighbours of fresh items with too few pairs. Equal scores are ordered at random, and
    so is who stands left.

    Args:
        scores: (n,) of all items, fresh and compared before; NaN is placed at random among them.
        per_item: comparisons that each fresh item shall take part in, fewer when there are fewer others.
        fresh: (n,) items that are not compared yet.
        compared: (m, 2) pairs asked before; none of them is asked again.
        rng: of ties and sides.

    >>> none, rng, fresh = np.empty((0, 2), dtype=np.intp), np.random.default_rng(0), np.ones(3, dtype=bool)
    >>> pairs = comparison_pairs(np.array([0.9, 0.1, 0.5]), per_item=1, fresh=fresh, compared=none, rng=rng)
    >>> sorted(sorted(pair) for pair in pairs.tolist())
    [[0, 2], [1, 2]]
    """
    n = len(scores)
    placed = np.where(np.isnan(scores), rng.permutation(np.resize(_known(scores), n)), scores)
    order = np.lexsort((rng.random(n), placed))
    seen = {(min(a, b), max(a, b)) for a, b in compared.tolist()}
    degree = np.bincount(compared.ravel(), minlength=n)
    chosen = _connecting(order, placed, components(n, compared))
    seen |= {(min(a, b), max(a, b)) for a, b in chosen}
    np.add.at(degree, np.array(chosen, dtype=np.intp).reshape(-1, 2).ravel(), 1)
    for lag in range(1, n):
        lacking = fresh & (degree < per_item)
        if not lacking.any():
            break
        chosen += _neighbours(order, placed, lag, fresh, degree, per_item, seen)
    pairs = np.array(chosen, dtype=np.intp).reshape(-1, 2)
    return rng.permuted(pairs, axis=1)


def components(n: int, pairs: Pairs) -> NDArray[np.intp]:
    """The connected part each of n items belongs to.

    >>> components(4, np.array([[0, 2], [2, 3]])).tolist()
    [0, 1, 0, 0]
    """
    edges = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.intp)


def _known(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    known = scores[~np.isnan(scores)]
    return known if len(known) else np.zeros(1)


def _connecting(
    order: NDArray[np.intp], scores: NDArray[np.floating], part: NDArray[np.intp]
) -> list[tuple[int, int]]:
    """The closest neighbours in score that join all parts: a minimum spanning tree of them."""
    left, right = order[:-1], order[1:]
    parent = list(range(len(order)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    found = []
    for place in np.argsort(scores[right] - scores[left], kind="stable"):
        a, b = int(left[place]), int(right[place])
        one, other = root(int(part[a])), root(int(part[b]))
        if one != other:
            parent[one] = other
            found.append((a, b))
    return found


def _neighbours(
    order: NDArray[np.intp],
    scores: NDArray[np.floating],
    lag: int,
    fresh: NDArray[np.bool_],
    degree: NDArray[np.intp],
    per_item: int,
    seen: set[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Pairs of items `lag` places apart that were never compared, while a fresh one of them lacks comparisons."""
    left, right = order[:-lag], order[lag:]
    found = []
    for place in np.argsort(scores[right] - scores[left], kind="stable"):
        a, b = int(left[place]), int(right[place])
        pair = (min(a, b), max(a, b))
        lacks = (fresh[a] and degree[a] < per_item) or (fresh[b] and degree[b] < per_item)
        if lacks and pair not in seen:
            seen.add(pair)
            degree[[a, b]] += 1
            found.append((a, b))
    return found
