"""What a reference is worth: a product of objectives, each to its strength.

Diversity depends on what is chosen and is the business of the greedy strategies; all others are weighed here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from labelloop.sampling.pool import Pool

# Each objective by the strength of the same name; its column must be there when the strength is not 0.
COLUMNS = {"diversity": "embedding", "balance": "stratum", "recency": "seen_at", "cost": "cost"}


def worth(pool: Pool) -> NDArray[np.float32]:
    """Uncertainty^u x balance^b x recency^r / cost^c of each row, >= 0.

    Balance is 1 / (1 + labels of the row's stratum), so that rare strata come first; recency 2^(-age / half-life).
    An objective of strength 0 is 1 everywhere; the pool has the columns of all others.
    """
    aims = pool.objectives
    value = np.power(pool.uncertainty, aims.uncertainty) * np.exp2(-aims.recency * pool.age / aims.half_life_days)
    value = value / np.power(pool.cost, aims.cost)
    if aims.balance:
        counts = pd.Series(pool.labelled_stratum, dtype=object).value_counts()
        labels = pd.Series(pool.stratum, dtype=object).map(counts).fillna(0).to_numpy(dtype=np.float64)
        value = value / np.power(1.0 + labels, aims.balance)
    return np.asarray(value, dtype=np.float32)
