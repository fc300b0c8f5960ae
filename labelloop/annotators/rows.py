"""Figures of annotators as rows of their contract, every night anew; none where the spec wants none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.annotators.accuracy import AnnotatorFigure, assess
from labelloop.annotators.confusion import confusions
from labelloop.annotators.skill import Skill, skills
from labelloop.annotators.work import Work, work_of
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
    if not figures:
        return figure_rows({}, present, at)
    experts = present.filter(pc.equal(present["level"], "expert"))["annotator"].to_pylist()
    work = work_of(annotations, labels, hourly_rate=hourly_rate)
    return figure_rows(_figures(annotations, experts, work), present, at)


def figure_rows(figures: Figures, present: pa.Table, at: datetime) -> pa.Table:
    """Return rows of the contract `annotators` with these figures, by pseudonym; without any where there are none.

    Args:
        figures: of each annotator, by the names of columns.
        present: the annotators as they are.
        at: when it was measured.
    """
    schema, rows = contract("annotators").schema, []
    for row in present.select(["annotator", "level"]).to_pylist():
        own = {"n": 0, "flagged": False, "confusion": []} | figures.get(row["annotator"], {})
        own |= {**row, "measured_at": at}
        rows.append({name: own.get(name) for name in schema.names})
    return pa.Table.from_pylist(rows, schema=schema)


def figures_by_name(
    accuracies: Iterable[AnnotatorFigure],
    skilled: Iterable[Skill],
    confused: Mapping[str, pa.Table],
    work: Iterable[Work],
) -> Figures:
    """Return what was found of each annotator by the names of the contract's columns; `confused` is by control."""
    found: Figures = defaultdict(dict)
    for figure in accuracies:
        ends = {"accuracy_low": figure.low, "accuracy_high": figure.high}
        found[figure.annotator] = {**asdict(figure), **ends, "confusion": []}
    for skill in skilled:
        found[skill.annotator] |= {"skill": skill.skill, "skill_low": skill.low, "skill_high": skill.high}
    for control, cells in confused.items():
        for cell in cells.to_pylist():
            found[cell["annotator"]]["confusion"].append({"control": control, **cell})
    for done in work:
        found[done.annotator] |= asdict(done)
    return dict(found)


def _figures(annotations: pa.Table, experts: list[str], work: list[Work]) -> Figures:
    """What is found of everybody who answered."""
    asked = controls(annotations)
    if not asked:
        return figures_by_name([], [], {}, work)
    per_control = [_named(split_rulings(planned(annotations, control), experts), control) for control in asked]
    ratings, rulings = (pa.concat_tables(parts) for parts in zip(*per_control, strict=True))
    confused = {
        control: confusions(said, rulings=ruled) for control, (said, ruled) in zip(asked, per_control, strict=True)
    }
    return figures_by_name(assess(ratings, rulings=rulings), skills(ratings, rulings=rulings), confused, work)


def _named(tables: tuple[pa.Table, pa.Table], control: str) -> tuple[pa.Table, pa.Table]:
    """Return ratings and rulings with the control's name in that of the unit."""
    named = [t.set_column(0, "unit", pc.binary_join_element_wise(t["unit"], control, "/")) for t in tables]
    return named[0], named[1]
