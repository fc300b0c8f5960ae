"""Consensus of answers that compare items: how strong each item is, and what follows for each unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from labelloop.agreement.ratings import FloatArray, IntArray


@dataclass(frozen=True)
class ItemConsensus:
    """The labels (`table`, see `labelloop.consensus.aggregate`) and what they follow from.

    `items` has one row per item, strongest first: item, strength (natural logarithm, 0 for an average item), rank
    (from 1), n (answers that name it). `annotators` has annotator, quality (probability of answering by the strengths
    and not against them), n; None where the method has no such model.
    """

    table: pa.Table
    items: pa.Table
    annotators: pa.Table | None
    converged: bool
    steps: int


def item_table(names: list[str], strength: FloatArray, n: IntArray) -> pa.Table:
    """Items by strength, strongest first; equal ones by name."""
    order = np.lexsort((np.arange(len(names)), -strength))
    return pa.table(
        {
            "item": pa.array([names[code] for code in order], pa.string()),
            "strength": strength[order],
            "rank": np.arange(1, len(names) + 1),
            "n": n[order],
        }
    )
