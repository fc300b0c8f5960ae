"""Uncertainty sampling: the references with the highest acquisition score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.sampling.audit import permanent_numbers
from labelloop.sampling.pool import Picks, Pool


def pick_uncertain(score: str) -> Callable[[Pool, int, np.random.Generator], Picks]:
    """The strategy that takes the n highest of this acquisition score, highest first."""

    def pick(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
        rows = highest(pool.uncertainty, n, rng, pool.ref_ids)
        scores = pool.uncertainty[rows]
        return Picks(rows, scores, None, [f"{score} {value:.4f}" for value in scores])

    return pick


def highest(scores: NDArray[np.floating], n: int, rng: np.random.Generator, ref_ids: pa.Array) -> NDArray[np.intp]:
    """Rows of the n highest scores, highest first, ties in random order; 1 <= n <= len(scores).

    Of two references that tie the seed alone decides, not what else is in the pool: so the highest of a pool are the
    highest among the highest of its parts.

    >>> highest(np.array([0.1, 0.9, 0.5]), 2, np.random.default_rng(0), pa.array(["a", "b", "c"])).tolist()
    [1, 2]
    """
    # a tie at the threshold must be drawn among all its rows, whatever the partition happens to keep
    threshold = np.partition(scores, len(scores) - n)[len(scores) - n]
    rows = np.flatnonzero(scores >= threshold)
    lots = permanent_numbers(ref_ids.take(pa.array(rows)), f"{rng.integers(2**63)}")
    order = np.lexsort((lots, -scores[rows]))
    chosen: NDArray[np.intp] = rows[order[:n]]
    return chosen
