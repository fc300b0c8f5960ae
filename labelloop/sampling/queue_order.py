"""The order in which a batch is served, as the score Label Studio sorts by, ascending.

An annotator must not tell from the place of a task whether it is an audit.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

INSIDE = 1e-6  # distance kept from 0 and 1
TIES = 1e-9  # confidences closer than this count as equal, and are shuffled


def queue_scores(batch: pa.Table, confidence: NDArray[np.floating] | None, seed: int) -> NDArray[np.float64]:
    """A place in the queue for each row of a composed batch, in (0, 1); ascending is served first.

    An exploit row keeps the model's confidence; equal ones are shuffled. Every other row, and one without a
    confidence (NaN), gets a random place among them: a random quantile of their scores. Without any confidence (cold
    start) exploit rows are spread by rank, (rank + 1/2) / their number; without exploit rows all places are random.

    Args:
        batch: `stratum`, `rank` as `compose_batch` gives them.
        confidence: one for each row of the batch, or None.
        seed: of the random places.

    >>> queue_scores(pa.table({"stratum": ["exploit", "exploit"], "rank": [0, 1]}), None, 0).tolist()
    [0.25, 0.75]
    """
    rng = np.random.default_rng(seed)
    places = rng.random(len(batch))
    kept = batch["stratum"].to_numpy(zero_copy_only=False) == "exploit"
    if confidence is not None and np.isfinite(confidence[kept]).any():
        kept = kept & np.isfinite(confidence)
        sure = np.clip(confidence[kept].astype(np.float64), INSIDE, 1.0 - INSIDE - TIES)
        own = sure + rng.random(kept.sum()) * TIES
    else:
        ranks = batch["rank"].to_numpy()[kept]
        own = (ranks.argsort().argsort() + 0.5) / max(len(ranks), 1)
    if len(own):
        places[~kept] = np.quantile(own, places[~kept])
        places[kept] = own
    return np.clip(places, INSIDE, 1.0 - INSIDE)
