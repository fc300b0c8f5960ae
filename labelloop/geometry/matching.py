"""Which shapes of two answers show the same thing: one to one, so that the sum of the similarities is greatest.

Over all pairs of answers at once. Most partners are certain; an assignment problem (Kuhn 1955; Jonker and Volgenant
1987, as SciPy has it) is solved only where several shapes compete.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components

from labelloop.geometry.shapes import FloatArray, IntArray

CELLS: Final = 4_000_000  # pairs of shapes compared at once
SAME_LABEL: Final = 1e-6  # decides between shapes that are equally alike


class Links(NamedTuple):
    """Two shapes of two answers: `pair` of answers, shape of its first and of its second, how alike they are."""

    pair: IntArray
    one: IntArray
    other: IntArray
    similarity: FloatArray

    def where(self, keep: Any) -> Links:
        """The links that a mask or positions select."""
        return Links(*(column[keep] for column in self))


def touching(bounds: FloatArray, start: IntArray, first: IntArray, second: IntArray) -> tuple[IntArray, ...]:
    """Pair of answers, shape of the first and shape of the second, wherever the boxes around the shapes touch.

    Args:
        bounds: left, top, right, bottom of each shape, sorted by answer.
        start: place of the first shape of each answer, and the number of shapes.
        first: one answer of each pair.
        second: the other.

    >>> bounds = np.array([[0.0, 0, 2, 2], [1.0, 1, 3, 3], [9.0, 9, 10, 10]])
    >>> [column.tolist() for column in touching(bounds, np.array([0, 1, 3]), np.array([0]), np.array([1]))]
    [[0], [0], [1]]
    """
    nothing = np.empty(0, dtype=np.int64)
    found = [(nothing, nothing, nothing), *_blocks(bounds, start, first, second)]
    return tuple(np.concatenate(column) for column in zip(*found, strict=True))


def best_links(links: Links, same_label: Any) -> Links:
    """The links of the best one-to-one matching within each pair of answers; `same_label` decides ties.

    The sum of similarities is as great as can be; shapes with nothing in common stay unmatched. A link that is worth
    more than the best rivals at both of its ends together belongs to every best matching; these are taken until none
    is left, and few assignment problems remain.
    """
    worth = np.where(links.similarity > 0, links.similarity + SAME_LABEL * np.asarray(same_label), 0.0)
    rest = np.flatnonzero(worth)
    chosen = [rest[:0]]
    one, other = _nodes(links.pair[rest], links.one[rest]), _nodes(links.pair[rest], links.other[rest])
    while len(rest):
        sure = worth[rest] > _best_rival(one, worth[rest]) + _best_rival(other, worth[rest])
        if not sure.any():
            chosen.append(rest[_assigned(one, other, worth[rest])])
            break
        chosen.append(rest[sure])
        free = ~(np.isin(one, one[sure]) | np.isin(other, other[sure]))
        rest, one, other = rest[free], one[free], other[free]
    return links.where(np.sort(np.concatenate(chosen)))


def _blocks(
    bounds: FloatArray, start: IntArray, first: IntArray, second: IntArray
) -> Iterator[tuple[IntArray, IntArray, IntArray]]:
    """Pairs of answers with equally many shapes are compared as one array, a bounded number of them at a time."""
    size = np.diff(start)
    n, m = size[first], size[second]
    order = np.lexsort((m, n))
    order = order[(n[order] > 0) & (m[order] > 0)]
    ends = np.flatnonzero(np.diff(n[order]) | np.diff(m[order])) + 1
    for alike in np.split(order, ends) if len(order) else []:
        rows, columns = np.arange(n[alike[0]]), np.arange(m[alike[0]])
        at_once = max(1, CELLS // (len(rows) * len(columns)))
        for begin in range(0, len(alike), at_once):
            block = alike[begin : begin + at_once]
            one, other = start[first[block], None] + rows, start[second[block], None] + columns
            hit = np.flatnonzero(_touch(bounds[one][:, :, None], bounds[other][:, None, :]))
            pair, cell = np.divmod(hit, len(rows) * len(columns))
            row, column = np.divmod(cell, len(columns))
            yield block[pair], one[pair, row], other[pair, column]


def _touch(one: FloatArray, other: FloatArray) -> Any:
    across = (one[..., 0] <= other[..., 2]) & (other[..., 0] <= one[..., 2])
    return across & (one[..., 1] <= other[..., 3]) & (other[..., 1] <= one[..., 3])


def _nodes(pair: IntArray, shape: IntArray) -> IntArray:
    """A number for each shape within each pair, 0 and up."""
    key = pair * (int(shape.max(initial=0)) + 1) + shape
    return np.asarray(np.unique(key, return_inverse=True)[1])


def _best_rival(node: IntArray, worth: FloatArray) -> FloatArray:
    """For each link the worth of the best other link of its node, 0 without any."""
    order = np.argsort(node, kind="stable")
    sorted_worth, first = worth[order], np.flatnonzero(np.diff(node[order], prepend=-1))
    size = np.diff(first, append=len(order))
    best = np.repeat(np.maximum.reduceat(sorted_worth, first), size)
    is_best = sorted_worth == best
    only = np.repeat(np.add.reduceat(is_best.astype(np.int64), first), size) == 1
    second = np.repeat(np.maximum.reduceat(np.where(is_best, 0.0, sorted_worth), first), size)
    rival = np.empty(len(worth))
    rival[order] = np.where(is_best & only, second, best)
    return rival


def _assigned(one: IntArray, other: IntArray, worth: FloatArray) -> IntArray:
    """Places of the links of the best matching, each cluster of links that hang together on its own."""
    rows, row = np.unique(one, return_inverse=True)
    columns, column = np.unique(other, return_inverse=True)
    n = len(rows) + len(columns)
    graph = sparse.coo_array((np.ones(len(row), dtype=np.int8), (row, column + len(rows))), shape=(n, n))
    cluster = connected_components(graph, directed=False)[1]
    row, column = _rank_within(cluster[: len(rows)])[row], _rank_within(cluster[len(rows) :])[column]
    of_link = cluster[: len(rows)][np.searchsorted(rows, one)]
    order = np.argsort(of_link, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(of_link[order])) + 1)
    return np.concatenate([part[_best(row[part], column[part], worth[part])] for part in parts])


def _rank_within(cluster: IntArray) -> IntArray:
    """The number of each member within its cluster, from 0."""
    order = np.argsort(cluster, kind="stable")
    rank = np.empty(len(cluster), dtype=np.int64)
    rank[order] = np.arange(len(cluster)) - np.searchsorted(cluster[order], cluster[order])
    return rank


def _best(row: IntArray, column: IntArray, worth: FloatArray) -> IntArray:
    """Which of these links make the best matching."""
    shape = row.max() + 1, column.max() + 1
    table, place = np.zeros(shape), np.full(shape, -1)
    table[row, column], place[row, column] = worth, np.arange(len(worth))
    chosen = place[linear_sum_assignment(table, maximize=True)]
    return np.asarray(chosen[chosen >= 0])
