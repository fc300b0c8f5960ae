"""Figures of annotators as rows of their contract, every night anew; none where the spec wants none."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.annotators.accuracy import assess
from labelloop.annotators.confusion import confusions
from labelloop.annotators.skill import skills
from labelloop.annotators.work import work_of
from labelloop.contracts import contract
from labelloop.opinions import controls, planned, split_rulings

Figures = dict[str, dict[str, Any]]


def annotator_rows(
    annotations: pa.Table,
    present: pa.Table,
    labels: pa.Table,
    *,
    at: datetime,
    hourly_rate: float | None = None,
    figures: bool = True,
) -> pa.Table:
    """Return rows of the contract `annotators`: how planned answers compare with those of the others, time and cost.

    Args:
        annotations: rows of the contract `annotations`.
        present: the annotators as they are; those without comparable answers keep their row without figures.
        labels: rows of the contract `labels`, as of last night: what of the work was accepted.
        at: when it is measured.
        hourly_rate: pay for one hour; None gives no cost.
        figures: False leaves names and levels alone.

    With several controls, an answer to each counts as an answer to a unit of its own.
    """
    experts = present.filter(pc.equal(present["level"], "expert"))["annotator"].to_pylist()
    found: Figures = _answers(annotations, experts) if figures else {}
    for work in work_of(annotations, labels, hourly_rate=hourly_rate) if figures else ():
        found.setdefault(work.annotator, {}).update(asdict(work))
    schema = contract("annotators").schema
    rows = []
    for row in present.select(["annotator", "level"]).to_pylist():
        own = {"n": 0, "flagged": False, "confusion": []} | found.get(row["annotator"], {})
        own |= {**row, "measured_at": at}
        rows.append({name: own.get(name) for name in schema.names})
    return pa.Table.from_pylist(rows, schema=schema)


def _answers(annotations: pa.Table, experts: list[str]) -> Figures:
    """Accuracy, skill and confusion of everybody who answered, by the names of the contract's columns."""
    asked = controls(annotations)
    if not asked:
        return {}
    per_control = [_named(split_rulings(planned(annotations, control), experts), control) for control in asked]
    ratings, rulings = (pa.concat_tables(parts) for parts in zip(*per_control, strict=True))
    found: Figures = defaultdict(dict)
    for figure in assess(ratings, rulings=rulings):
        ends = {"accuracy_low": figure.low, "accuracy_high": figure.high}
        found[figure.annotator] = {**asdict(figure), **ends, "confusion": []}
    for skill in skills(ratings, rulings=rulings):
        found[skill.annotator] |= {"skill": skill.skill, "skill_low": skill.low, "skill_high": skill.high}
    for control, (said, ruled) in zip(asked, per_control, strict=True):
        for cell in confusions(said, rulings=ruled).to_pylist():
            found[cell["annotator"]]["confusion"].append({"control": control, **cell})
    return dict(found)


def _named(tables: tuple[pa.Table, pa.Table], control: str) -> tuple[pa.Table, pa.Table]:
    """Return ratings and rulings with the control's name in that of the unit."""
    named = [t.set_column(0, "unit", pc.binary_join_element_wise(t["unit"], control, "/")) for t in tables]
    return named[0], named[1]
