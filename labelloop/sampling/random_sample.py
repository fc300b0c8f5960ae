"""Random: every reference has the same chance; what every other strategy is measured against."""

from __future__ import annotations

import numpy as np

from labelloop.sampling.pool import Picks, Pool


def pick_random(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Simple random sample without replacement, in random order; inclusion probability n / N."""
    rows = rng.permutation(len(pool))[:n]
    reason = f"random draw of {n} from {len(pool)}"
    return Picks(rows, None, np.full(n, n / len(pool)), [reason] * n)
