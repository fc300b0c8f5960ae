"""Facility location: the references that stand best for the whole pool."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from labelloop.sampling.audit import lowest
from labelloop.sampling.pool import Picks, Pool
from labelloop.sampling.random_sample import filled_at_random

REPRESENTED: Final = 10_000  # rows that must be stood for, an even draw from a larger pool
NEIGHBOURS: Final = 64  # candidates that can stand for each of them
CELLS: Final = 16_000_000  # distances held at a time: 64 MB


class Graph(NamedTuple):
    """Who can stand for whom: similarities (m, n), sparse, of m represented rows to their nearest candidates.

    `scale` is the distance at which similarity has fallen to exp(-1).
    """

    similarity: csr_array
    represented: NDArray[np.intp]
    scale: float


def pick_facilities(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Greedy picks that raise most how well every reference is stood for by its most similar pick.

    Score: how much sum_i max_(j chosen) similarity(i, j) rises, in references; what is labelled stands already.
    Reaches 1 - 1/e of the best possible (Nemhauser, Wolsey and Fisher, 1978). Once nothing rises, picks are random.
    """
    graph = neighbour_graph(pool.embedding, represented(pool.ref_ids))
    standing = standing_of(pool.embedding[graph.represented], pool.labelled, graph.scale)
    rows, gains = filled_at_random(*cover(graph.similarity, n, standing), n, len(pool), rng)
    m = len(graph.represented)
    return Picks(rows, gains, None, [f"stands for {gain:.4g} more of {m} references" for gain in gains])


def represented(ref_ids: pa.ChunkedArray | pa.Array, share: float = 1.0) -> NDArray[np.intp]:
    """Rows that stand for all of a pool, or of a part that is such a share of it: an even draw, ascending.

    The lowest permanent numbers decide, so that the parts of a pool together give the rows that the whole gives.

    >>> represented(pa.array(["a", "b", "c"])).tolist()
    [0, 1, 2]
    """
    n = math.ceil(REPRESENTED * share)
    return np.sort(lowest(ref_ids, n, "represented")) if len(ref_ids) > n else np.arange(len(ref_ids))


def neighbour_graph(points: NDArray[np.float32], represented: NDArray[np.intp]) -> Graph:
    """The 64 nearest candidates of each represented row, itself among them, by exp(-(distance / scale)^2).

    The scale is the median distance to the farthest of them. Every row is a candidate.
    """
    k = min(NEIGHBOURS, len(points))
    lengths = np.einsum("ij,ij->i", points, points)
    near = np.empty((len(represented), k), dtype=np.intp)
    squared = np.empty((len(represented), k), dtype=np.float32)
    for some in _blocks(len(represented), len(points)):
        part = represented[some]
        away = lengths - 2.0 * (points[part] @ points.T)
        near[some] = np.argpartition(away, k - 1, axis=1)[:, :k]
        squared[some] = np.take_along_axis(away, near[some], axis=1) + lengths[part, None]
    np.maximum(squared, 0.0, out=squared)
    reach = float(np.median(squared.max(axis=1))) or 1.0
    starts = np.arange(len(represented) + 1) * k
    shape = (len(represented), len(points))
    return Graph(csr_array((np.exp(-squared / reach).ravel(), near.ravel(), starts), shape), represented, reach**0.5)


def standing_of(points: NDArray[np.float32], labelled: NDArray[np.float32], scale: float) -> NDArray[np.floating]:
    """How well each point is stood for by the labelled: its highest similarity to one, 0 without any."""
    best = np.zeros(len(points))
    if not len(labelled):
        return best
    lengths = np.einsum("ij,ij->i", labelled, labelled)
    for some in _blocks(len(points), len(labelled)):
        away = (lengths - 2.0 * (points[some] @ labelled.T)).min(axis=1) + np.einsum(
            "ij,ij->i", points[some], points[some]
        )
        best[some] = np.exp(-np.maximum(away, 0.0) / scale**2)
    return best


def cover(
    similarity: csr_array, n: int, standing: NDArray[np.floating]
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Up to n columns by the exact greedy, with their gains; fewer when no other raises anything.

    Args:
        similarity: (m, N), >= 0.
        n: how many.
        standing: (m,) how well each row is stood for before.

    Every gain is kept up to date: a pick changes those of its rows' neighbours alone. Ties go to the first column.

    >>> columns, gains = cover(csr_array(np.array([[1.0, 0.9, 0.0], [0.0, 0.9, 1.0]])), 3, np.zeros(2))
    >>> columns.tolist(), gains.round(2).tolist()
    ([1, 0, 2], [1.8, 0.1, 0.1])
    """
    by_column = csc_array(similarity)
    best = standing.astype(np.float64)
    gains = _gains(similarity, best)
    rows, reached = list[int](), list[float]()
    for _ in range(n):
        pick = int(gains.argmax())
        if gains[pick] <= 1e-9:
            break
        rows.append(pick)
        reached.append(float(gains[pick]))
        span = slice(by_column.indptr[pick], by_column.indptr[pick + 1])
        served, offered = by_column.indices[span], by_column.data[span]
        better = offered > best[served]
        _serve(gains, similarity, best, served[better], offered[better])
        gains[pick] = 0.0
    return np.array(rows, dtype=np.intp), np.array(reached)


def _gains(similarity: csr_array, best: NDArray[np.floating]) -> NDArray[np.floating]:
    rises = np.maximum(similarity.data - np.repeat(best, np.diff(similarity.indptr)), 0.0)
    return np.asarray(np.bincount(similarity.indices, weights=rises, minlength=similarity.shape[1]), dtype=np.float64)


def _serve(
    gains: NDArray[np.floating],
    similarity: csr_array,
    best: NDArray[np.floating],
    served: NDArray[np.integer],
    offered: NDArray[np.floating],
) -> None:
    """Lower the gains of all who could have stood for these rows, and note how well they are stood for now."""
    touched = similarity[served]
    before = np.repeat(best[served], np.diff(touched.indptr))
    after = np.repeat(offered, np.diff(touched.indptr))
    lost = np.maximum(touched.data - before, 0.0) - np.maximum(touched.data - after, 0.0)
    np.subtract.at(gains, touched.indices, lost)
    best[served] = offered


def _blocks(rows: int, width: int) -> list[slice]:
    """Slices of the rows, so that a block of so many columns stays small."""
    step = max(1, CELLS // max(1, width))
    return [slice(start, start + step) for start in range(0, rows, step)]
