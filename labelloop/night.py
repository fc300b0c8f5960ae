"""What the nightly stage agreement writes of answers: figures as rows of their contract.

Which figures there are is decided in `scoped_figures.py`, which opinions count in `labelloop.opinions`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import pyarrow as pa

from labelloop.agreement.interval import Precision
from labelloop.agreement.of_each_region import marks_of
from labelloop.agreement.question import Question
from labelloop.clusters import GROUP, with_groups
from labelloop.contracts import contract
from labelloop.opinions import answered, planned_answers
from labelloop.scoped_figures import Beside, Scoped, scoped_figures
from labelloop.tallies.figures import kind_of, tallied_figures
from labelloop.tallies.tally import Tally

Figures = Callable[..., Iterator[Scoped]]
_NO_BUCKETS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})


def agreement_rows(
    annotations: pa.Table,
    *,
    round: int,
    n_min: int,
    seed: int,
    at: datetime,
    per_person: bool = True,
    beside: Beside | None = None,
    buckets: Mapping[str, tuple[str, ...]] = _NO_BUCKETS,
    figures: Figures = scoped_figures,
) -> pa.Table:
    """Return rows of the contract `agreement`: per question, for the project and every scope that it has.

    Args:
        annotations: rows of the contract `annotations`; planned opinions of annotators count.
        round: the round up to which is measured.
        n_min: no figure on fewer units.
        seed: of the bootstrap.
        at: when it is measured.
        per_person: also for each pair and each annotator.
        beside: what is known beside the answers; without it no strata, population, repeats, model and clusters.
        buckets: of each question that is a triage, in their order.
        figures: which of them are wanted; by default all.
    """
    known = beside or Beside()
    rows = []
    for control, kind in answered(annotations):
        answers = planned_answers(annotations, control)
        settings: dict[str, Any] = {"n_min": n_min, "seed": seed}
        if known.clusters is not None:
            answers, settings["group"] = with_groups(answers, known.clusters), GROUP
        question = Question(answers, kind, buckets.get(control, ()), marks_of(answers, annotations), settings)
        for scoped in figures(question, known.of_control(control), per_person=per_person):
            rows.append(_row(control, scoped, round, at))
    return pa.Table.from_pylist(rows, schema=contract("agreement").schema)


def rows_of_tallies(
    tallies: Mapping[str, Tally],
    n_audit: int,
    *,
    round: int,
    n_min: int,
    seed: int,
    at: datetime,
    per_person: bool = True,
) -> pa.Table:
    """Return rows of the contract `agreement` from what was counted of all answers; repeats are not among them.

    Args:
        tallies: of each question; those whose answers have to be compared whole are left out.
        n_audit: audit units that were chosen in all rounds.
        round: and all others as for `agreement_rows`.
        n_min: see there.
        seed: see there.
        at: see there.
        per_person: see there.
    """
    precision = Precision(seed=seed, n_min=n_min)
    rows = [
        _row(control, scoped, round, at)
        for control, tally in sorted(tallies.items())
        if kind_of(tally)
        for scoped in tallied_figures(tally, n_audit, precision, per_person=per_person)
    ]
    return pa.Table.from_pylist(rows, schema=contract("agreement").schema)


def _row(control: str, scoped: Scoped, round: int, at: datetime) -> dict[str, Any]:
    scope, who, figure = scoped
    name = "/".join([str(round), control, scope, who, figure.metric, figure.level])
    return {
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
