"""k-center: cover the pool so that no reference is far from a labelled one."""

from __future__ import annotations

import numpy as np

from labelloop.sampling.coverage import farthest_first
from labelloop.sampling.pool import Picks, Pool


def pick_k_center(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Greedy k-center: each pick is the reference farthest from all labelled and chosen ones.

    Score: Euclidean distance to the nearest of them when picked. With nothing labelled the first pick is random.
    The greedy radius is at most twice the best possible. Source: Gonzalez, 1985; Sener and Savarese, ICLR 2018.
    """
    first = int(rng.integers(len(pool)))
    rows, distances = farthest_first(pool.vectors, n, first=first, covered=pool.labelled, centre=pool.centre)
    reasons = [f"distance {distance:.4g} to the nearest labelled or chosen" for distance in distances]
    return Picks(rows, distances, None, reasons)
