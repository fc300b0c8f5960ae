"""The comparison at equal budget: the same rounds simulated off-server with the strategy of the spec and at random.

Same functions, same annotators, same test rows within a seed; only what is asked about differs.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import numpy as np
import pyarrow as pa

from deployments.demo.digits import features, truth
from deployments.demo.people import minds
from labelloop.contracts import contract
from labelloop.simulation import learning_curve
from labelloop.spec import ProjectSpec

SEEDS = range(10)
_TEST_ROWS = 500

Curves = dict[tuple[str, int], list[float]]


def simulate_arms(spec: ProjectSpec, rounds: int) -> Curves:
    """Return accuracy on held-out rows after each round, by arm (active, random) and seed."""
    strategies = {"active": spec.sampling.strategy, "random": "random"}
    return {(arm, seed): _curve(spec, s, rounds, seed) for seed in SEEDS for arm, s in strategies.items()}


def _curve(spec: ProjectSpec, strategy: str, rounds: int, seed: int) -> list[float]:
    x, labels = features(), list(truth().values())
    return learning_curve(
        x,
        labels,
        strategy=strategy,
        rounds=rounds,
        batch_size=spec.sampling.batch_size,
        annotators=minds(),
        overlap_share=spec.overlap.share,
        seed=seed,
        test_index=np.random.default_rng(seed).permutation(len(labels))[:_TEST_ROWS],
        audit_rate=spec.sampling.audit_rate,
        explore_share=spec.sampling.explore_share,
    )


def evaluation_rows(curves: Curves, at: datetime) -> pa.Table:
    """Return the curves as rows of the contract `evaluations`."""
    rows = [
        {
            "evaluation_id": hashlib.sha256(f"{arm}/{seed}/{number}".encode()).hexdigest()[:32],
            "round": number,
            "arm": arm,
            "seed": seed,
            "metric": "accuracy",
            "value": value,
            "n": _TEST_ROWS,
            "evidence": "simulated annotators, held-out truth",
            "measured_at": at,
        }
        for (arm, seed), curve in curves.items()
        for number, value in enumerate(curve, start=1)
    ]
    return pa.Table.from_pylist(rows, schema=contract("evaluations").schema)
