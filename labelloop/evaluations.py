"""How good a model was found to be, as rows of the contract `evaluations`.

The statistics are in `labelloop.retrain`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

import pyarrow as pa

from labelloop.contracts import contract
from labelloop.retrain import Evaluation


def audit_evaluation(evaluation: Evaluation, *, model_version: str, round: int, seed: int, at: datetime) -> pa.Table:
    """Return the accuracy of the loop's own model on audit units as one row.

    Args:
        evaluation: of the model on audit rows.
        model_version: the model.
        round: the round whose training set it learned from.
        seed: it was trained with.
        at: when it was measured.
    """
    name = f"{round}/loop/{seed}/accuracy/{model_version}"
    row = {
        "evaluation_id": hashlib.sha256(name.encode()).hexdigest()[:32],
        "round": round,
        "arm": "loop",
        "seed": seed,
        "model_version": model_version,
        "metric": "accuracy",
        "value": evaluation.accuracy,
        "low": evaluation.low,
        "high": evaluation.high,
        "n": evaluation.n,
        "evidence": "audit",
        "measured_at": at,
    }
    return pa.Table.from_pylist([row], schema=contract("evaluations").schema)
