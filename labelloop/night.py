"""What the nightly stage agreement writes: figures, and annotators, as rows of their contracts.

The statistics are in `labelloop.agreement` and `labelloop.annotators`; which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement import Figure, measure, pairwise, per_annotator
from labelloop.annotators import AnnotatorFigure, assess
from labelloop.contracts import contract
from labelloop.opinions import controls, planned, split_rulings

Scoped = tuple[str, str, Figure]
Row = dict[str, object]


def agreement_rows(annotations: pa.Table, *, round: int, n_min: int, seed: int, at: datetime) -> pa.Table:
    """Return rows of the contract `agreement`: per control, for the project, each pair and each annotator.

    Args:
        annotations: rows of the contract `annotations`; planned opinions of annotators count.
        round: the round up to which is measured.
        n_min: no figure on fewer units.
        seed: of the bootstrap.
        at: when it is measured.
    """
    rows = []
    for control in controls(annotations):
        for scope, who, figure in _figures(planned(annotations, control), n_min, seed):
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


def _figures(ratings: pa.Table, n_min: int, seed: int) -> Iterator[Scoped]:
    for figure in measure(ratings, n_min=n_min, seed=seed):
        yield "project", "", figure
    for (left, right), figure in pairwise(ratings, n_min=n_min, seed=seed):
        yield "pair", f"{left} {right}", figure
    for who, figure in per_annotator(ratings, n_min=n_min, seed=seed):
        yield "annotator", who, figure


def annotator_rows(annotations: pa.Table, present: pa.Table, *, at: datetime) -> pa.Table:
    """Return rows of the contract `annotators`: how planned answers compare with those of the others.

    Args:
        annotations: rows of the contract `annotations`.
        present: the annotators as they are; those without comparable answers keep their row without figures.
        at: when it is measured.

    With several controls, an answer to each counts as an answer to a unit of its own.
    """
    experts = present.filter(pc.equal(present["level"], "expert"))["annotator"].to_pylist()
    per_control = [_named(split_rulings(planned(annotations, c), experts), c) for c in controls(annotations)]
    figures = {}
    if per_control:
        ratings, rulings = (pa.concat_tables(parts) for parts in zip(*per_control, strict=True))
        figures = {figure.annotator: figure for figure in assess(ratings, rulings=rulings)}
    seconds = _median_seconds(annotations)
    rows = [_annotator(row, figures.get(row["annotator"]), seconds, at) for row in present.to_pylist()]
    return pa.Table.from_pylist(rows, schema=present.schema)


def _named(tables: tuple[pa.Table, pa.Table], control: str) -> tuple[pa.Table, pa.Table]:
    """Return ratings and rulings with the control's name in that of the unit."""
    named = [t.set_column(0, "unit", pc.binary_join_element_wise(t["unit"], control, "/")) for t in tables]
    return named[0], named[1]


def _annotator(
    row: dict[str, object], figure: AnnotatorFigure | None, seconds: dict[str, float], at: datetime
) -> Row:
    figure = figure or AnnotatorFigure(str(row["annotator"]), 0)
    return {
        "annotator": row["annotator"],
        "level": row["level"],
        "n": figure.n,
        "accuracy": figure.accuracy,
        "accuracy_low": figure.low,
        "accuracy_high": figure.high,
        "difference": figure.difference,
        "difference_low": figure.difference_low,
        "difference_high": figure.difference_high,
        "flagged": figure.flagged,
        "median_seconds": seconds.get(figure.annotator),
        "measured_at": at,
    }


def _median_seconds(annotations: pa.Table) -> dict[str, float]:
    active = annotations.filter(pc.equal(annotations["state"], "active"))
    medians = active.group_by("annotator").aggregate([("lead_time", "approximate_median")])
    return dict(
        zip(medians["annotator"].to_pylist(), medians["lead_time_approximate_median"].to_pylist(), strict=True)
    )
