"""What the nightly stages write: agreement figures and resolved labels as rows of their contracts.

The statistics are in `labelloop.agreement` and `labelloop.consensus`; which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement import Figure, measure, pairwise, per_annotator
from labelloop.annotators import AnnotatorFigure, assess
from labelloop.consensus import aggregate
from labelloop.contracts import contract
from labelloop.opinions import controls, opinions, planned, split_rulings
from labelloop.sql import session

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


def label_rows(
    annotations: pa.Table, present: pa.Table, *, experts: Collection[str], accept_confidence: float, at: datetime
) -> pa.Table:
    """Return rows of the contract `labels`: the resolved value of every unit and control, and who decided.

    Args:
        annotations: rows of the contract `annotations`; every active opinion counts.
        present: the labels as they are; a row whose value stays the same keeps its time.
        experts: pseudonyms whose ruling wins.
        accept_confidence: a label less sure than this, or a tie, is a conflict.
        at: when it is resolved.
    """
    found = [
        _labels_of_control(annotations, control, experts, accept_confidence, at) for control in controls(annotations)
    ]
    rows = pa.concat_tables([contract("labels").schema.empty_table(), *found])
    return _keep_times(rows, present)


def _labels_of_control(
    annotations: pa.Table, control: str, experts: Collection[str], accept_confidence: float, at: datetime
) -> pa.Table:
    ratings, rulings = split_rulings(opinions(annotations, control), experts)
    resolved = aggregate(ratings, method="dawid-skene", rulings=rulings)
    n = resolved.num_rows
    sure = pc.and_(pc.is_valid(resolved["label"]), pc.greater_equal(resolved["confidence"], accept_confidence))
    columns = {
        "unit_id": resolved["unit"],
        "control": pa.repeat(control, n),
        "label": resolved["label"],
        "confidence": resolved["confidence"],
        "n": resolved["n"],
        "classes": resolved["classes"],
        "probabilities": resolved["probabilities"],
        "method": resolved["method"],
        "decided_by": pc.if_else(
            pc.fill_null(pc.equal(resolved["decided_by"], "expert"), False), "expert", "consensus"
        ),
        "state": pc.if_else(pc.fill_null(sure, False), "accepted", "conflict"),
        "updated_at": pa.repeat(pa.scalar(at, pa.timestamp("us", "UTC")), n),
    }
    schema = contract("labels").schema
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


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


# Posteriors differ in their last digits when anything else changed; six digits are what anyone reads.
_SETTLED = """
WITH resolved AS (
    SELECT * REPLACE (round(confidence, 6) AS confidence,
                      list_transform(probabilities, lambda p: round(p, 6)) AS probabilities)
    FROM incoming)
SELECT r.* REPLACE (coalesce(p.updated_at, r.updated_at) AS updated_at)
FROM resolved r LEFT JOIN present p
  ON p.unit_id = r.unit_id AND p.control = r.control AND p.label IS NOT DISTINCT FROM r.label
 AND p.confidence = r.confidence AND p.n = r.n AND p.classes = r.classes AND p.probabilities = r.probabilities
 AND p.method = r.method AND p.decided_by = r.decided_by AND p.state = r.state
ORDER BY r.unit_id, r.control
"""


def _keep_times(rows: pa.Table, present: pa.Table) -> pa.Table:
    """Give rows that say what is already there their old time, so that nothing changes in the lake."""
    with session() as db:
        db.register("incoming", rows)
        db.register("present", present)
        return db.sql(_SETTLED).to_arrow_table().cast(rows.schema)
