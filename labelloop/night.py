"""What the nightly stage agreement writes of answers: figures as rows of their contract.

The statistics are in `labelloop.agreement`; which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from labelloop.agreement import Figure, measure, pairwise, per_annotator
from labelloop.contracts import contract
from labelloop.opinions import controls, planned

Scoped = tuple[str, str, Figure]


def agreement_rows(
    annotations: pa.Table, *, round: int, n_min: int, seed: int, at: datetime, per_person: bool = True
) -> pa.Table:
    """Return rows of the contract `agreement`: per control, for the project, each pair and each annotator.

    Args:
        annotations: rows of the contract `annotations`; planned opinions of annotators count.
        round: the round up to which is measured.
        n_min: no figure on fewer units.
        seed: of the bootstrap.
        at: when it is measured.
        per_person: also for each pair and each annotator.
    """
    rows = []
    for control in controls(annotations):
        for scope, who, figure in _figures(planned(annotations, control), n_min, seed, per_person):
            name = "/".join([str(round), control, scope, who, figure.metric, figure.level])
            rows.append(
                {
                    "figure_id": hashlib.sha256(name.encode()).hexdigest()[:32],
                    "round": round,
                    "control": control,
                    "metric": figure.metric,
                    "level": figure.level,
                    "scope": scope,
                    "who": who,
                    "value": figure.value,
                    "low": figure.low,
                    "high": figure.high,
                    "n_units": figure.n_units,
                    "n_annotators": figure.n_annotators,
                    "n_ratings": figure.n_ratings,
                    "reason": figure.reason,
                    "measured_at": at,
                }
            )
    return pa.Table.from_pylist(rows, schema=contract("agreement").schema)


def _figures(ratings: pa.Table, n_min: int, seed: int, per_person: bool) -> Iterator[Scoped]:
    for figure in measure(ratings, n_min=n_min, seed=seed):
        yield "project", "", figure
    if not per_person:
        return
    for (left, right), figure in pairwise(ratings, n_min=n_min, seed=seed):
        yield "pair", f"{left} {right}", figure
    for who, figure in per_annotator(ratings, n_min=n_min, seed=seed):
        yield "annotator", who, figure
