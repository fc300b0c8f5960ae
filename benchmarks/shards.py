"""What choosing from shards costs in quality and time, against choosing from the same pool at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from benchmarks.k_center import radius
from benchmarks.measure import measured
from benchmarks.parts import Figures
from benchmarks.vector_pools import clustered, pool_table, probabilities
from labelloop.sampling import Choice, select, select_from_shards
from labelloop.sampling.facility_location import neighbour_graph, represented, standing_of

BATCH: Final = 1000
SHARDS: Final = 8

Vectors = NDArray[np.float32]
Measure = Callable[[Vectors, Vectors], float]


def run(quick: bool) -> Figures:
    """Choose 1,000 of 100,000 embeddings at once and from eight shards; quick: of 8,000."""
    size = 8_000 if quick else 100_000
    points = clustered(size)
    pool = pool_table(embedding=points, probabilities=probabilities(size))
    return {
        "title": "Shards",
        "about": [
            f"{BATCH:,} picks from {size:,} clustered vectors in {SHARDS} shards, against the same rows as one pool.",
            "Targets: for scores the same references; for k-center a radius at most twice that of one pool, as for",
            "the hybrid; facility location, merged as in GreeDi: how well 10,000 references drawn evenly are stood",
            "for, of which a random partition keeps half of what the greedy is sure to reach (Barbosa et al. 2015).",
        ],
        "tables": {"Against one pool": [_against_one(pool, points, *each) for each in _measures(points)]},
    }


def _measures(points: Vectors) -> list[tuple[str, str, Measure]]:
    judges = points[represented(pool_table(embedding=points)["ref_id"])]
    scale = neighbour_graph(judges, np.arange(len(judges))).scale

    def stood_for(_: Vectors, chosen: Vectors) -> float:
        return float(standing_of(judges, chosen, scale).sum())

    return [
        ("margin", "radius", radius),
        ("k_center", "radius", radius),
        ("hybrid", "radius", radius),
        ("facility_location", "how well others are stood for", stood_for),
    ]


def _against_one(pool: pa.Table, points: Vectors, strategy: str, name: str, measure: Measure) -> dict[str, Any]:
    size = -(-len(pool) // SHARDS)
    shards = [pool.slice(start, size) for start in range(0, len(pool), size)]
    one = measured(partial(select, pool, BATCH, strategy))
    merged = measured(partial(select_from_shards, shards, Choice(BATCH, strategy, share=1 / len(shards))))
    ours, theirs = (measure(points, points[_places(pool, found.result)]) for found in (merged, one))
    return {
        "strategy": strategy,
        "one pool CPU s": one.cpu_seconds,
        "shards CPU s": merged.cpu_seconds,
        "measure": name,
        "shards / one": ours / theirs,
        "same references": "yes" if merged.result["ref_id"].equals(one.result["ref_id"]) else "no",
    }


def _places(pool: pa.Table, chosen: pa.Table) -> NDArray[np.intp]:
    return np.asarray(pc.index_in(chosen["ref_id"], pool["ref_id"].combine_chunks()))
