"""Pools of references with every column that a strategy, an objective or a limit can ask for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from labelloop.sampling import STRATEGIES
from labelloop.vectors import lists_of

EVERY_STRATEGY = [*STRATEGIES, "auto"]
NEWEST = datetime(2026, 1, 31, tzinfo=UTC)
SCORED = pa.struct({"score": pa.float64()})
SPAN = pa.struct({"start": pa.int64(), "end": pa.int64(), "score": pa.float64()})


def a_pool(n: int = 60, *, seed: int = 0, classes: int = 3) -> pa.Table:
    """Return n references `0000`, `0001`, ... with random columns; the same seed gives the same pool."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(classes), size=n)
    scores = rng.random((n, 2)).round(6).tolist()
    text = pa.string()
    return pa.table(
        {
            "ref_id": pa.array([f"{i:04d}" for i in range(n)], text),
            "probabilities": lists_of(probabilities),
            "embedding": lists_of(rng.normal(size=(n, 4)).astype(np.float32)),
            "stratum": pa.array([f"s{i % 4}" for i in range(n)], text),
            "committee": pa.array(
                rng.dirichlet(np.ones(classes), size=(n, 5)).tolist(), pa.list_(pa.list_(pa.float64()))
            ),
            "label_probabilities": lists_of(rng.random((n, classes))),
            "draws": lists_of(rng.normal(size=(n, 5))),
            "boxes": pa.array([[{"score": s} for s in row] for row in scores], pa.list_(SCORED)),
            "spans": pa.array([[_span(i, s) for i, s in enumerate(row)] for row in scores], pa.list_(SPAN)),
            "seen_at": pa.array([NEWEST - timedelta(days=i) for i in range(n)], pa.timestamp("us", "UTC")),
            "cost": pa.array(rng.uniform(0.5, 2.0, size=n)),
            "source": pa.array([f"source-{i % 3}" for i in range(n)], text),
        }
    )


def _span(place: int, score: float) -> dict[str, float]:
    return {"start": 0, "end": 5 + place, "score": score}


def refs(table: pa.Table) -> list[str]:
    """Return the references of a table, in its order."""
    return table["ref_id"].to_pylist()


def spoilt(pool: pa.Table, row: int) -> pa.Table:
    """Return the pool with every column of numbers unusable in this row."""
    for name in ("probabilities", "embedding", "committee", "label_probabilities", "draws", "boxes", "spans"):
        values = pool[name].to_pylist()
        values[row] = _with_nan(values[row])
        column = pa.array(values, pool.schema.field(name).type)
        pool = pool.set_column(pool.schema.get_field_index(name), name, column)
    return pool


def _with_nan(value: list) -> list:
    first, *rest = value
    if isinstance(first, dict):
        return [{**first, "score": float("nan")}, *rest]
    return [_with_nan(first) if isinstance(first, list) else float("nan"), *rest]
