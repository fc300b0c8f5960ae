"""Which shapes of several annotators show one object: each annotator shows an object once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from labelloop.geometry.matching import Links
from labelloop.geometry.shapes import IntArray


def objects_of(links: Links, answer: IntArray) -> IntArray:
    """The object that each shape shows, numbered from 0 in the order of their first shapes.

    Shapes linked in the best matching of two answers are joined, the most alike first; a join that would give one
    answer two shapes of an object is refused. With two annotators it is their matching; whom shapes belong to does
    not matter otherwise.

    Args:
        links: of matched shapes that are alike enough to be the same.
        answer: of each shape.

    >>> links = Links(*(np.array(column) for column in ([0, 1], [0, 1], [1, 2], [0.9, 0.8])))
    >>> objects_of(links, np.array([0, 1, 2, 2])).tolist()
    [0, 0, 0, 1]
    """
    n = len(answer)
    graph = sparse.coo_array((np.ones(len(links.one), dtype=np.int8), (links.one, links.other)), shape=(n, n))
    found = connected_components(graph, directed=False)[1].astype(np.int64)
    crowded = np.isin(found, found[_repeated(found, answer)])
    if crowded.any():
        found[crowded] = n + _joined(links.where(crowded[links.one]), answer)[crowded]
    _, first, number = np.unique(found, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[number], dtype=np.int64)


def _repeated(found: IntArray, answer: IntArray) -> NDArray[np.bool_]:
    """Which shapes share their object with another of the same answer."""
    key = found * (int(answer.max(initial=0)) + 1) + answer
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return np.asarray(count[place] > 1)


def _joined(links: Links, answer: IntArray) -> IntArray:
    """Shape that stands for the object of each shape, joined link by link, where a whole would be too large."""
    leader = np.arange(len(answer))
    members = {shape: [shape] for shape in np.union1d(links.one, links.other).tolist()}
    for link in np.lexsort((links.other, links.one, -links.similarity)).tolist():
        one, other = sorted((int(leader[links.one[link]]), int(leader[links.other[link]])))
        if one == other or set(answer[members[one]]) & set(answer[members[other]]):
            continue
        members[one] += members.pop(other)
        leader[members[one]] = one
    return leader
