"""Random: every reference has the same chance; what every other strategy is measured against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.pool import Picks, Pool


def pick_random(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Simple random sample without replacement, in random order; inclusion probability n / N."""
    rows = rng.permutation(len(pool))[:n]
    reason = f"random draw of {n} from {len(pool)}"
    return Picks(rows, None, np.full(n, n / len(pool)), [reason] * n)


def filled_at_random(
    rows: NDArray[np.intp], gains: NDArray[np.floating], n: int, size: int, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.floating]]:
    """Greedy picks and their gains, up to n: where no other row of `size` raises anything, the rest is drawn evenly.

    >>> rows, gains = filled_at_random(np.array([2]), np.array([0.5]), 3, 3, np.random.default_rng(0))
    >>> sorted(rows.tolist()), gains.tolist()
    ([0, 1, 2], [0.5, 0.0, 0.0])
    """
    if len(rows) == n:
        return rows, gains
    rest = rng.permutation(np.setdiff1d(np.arange(size), rows))[: n - len(rows)]
    return np.concatenate([rows, rest]), np.concatenate([gains, np.zeros(len(rest))])
