"""Hybrid: uncertain for the model and unlike what is labelled, as a product of objectives."""

from __future__ import annotations

from typing import Final

import numpy as np

from labelloop.acquisition.uncertainty import margin
from labelloop.sampling.coverage import farthest_first
from labelloop.sampling.pool import Picks, Pool

STRENGTH: Final = 1.0  # exponent of uncertainty against a diversity of one


def pick_hybrid(pool: Pool, n: int, rng: np.random.Generator) -> Picks:
    """Greedy picks by uncertainty^strength x distance to the nearest labelled or chosen reference.

    Uncertainty is the margin score. With nothing labelled the first pick is the most uncertain one.
    This is farthest-first traversal (Gonzalez, 1985) with weights.
    """
    weights = np.power(margin(pool.probabilities), STRENGTH).astype(np.float32)
    highest = np.flatnonzero(weights == weights.max())
    first = int(rng.choice(highest))
    rows, gains = farthest_first(pool.embedding, n, first=first, weights=weights, covered=pool.labelled)
    reasons = [f"margin {w:.4f}, uncertainty x distance {g:.4g}" for w, g in zip(weights[rows], gains, strict=True)]
    return Picks(rows, gains, None, reasons)
