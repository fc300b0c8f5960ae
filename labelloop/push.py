"""What the lake wants Label Studio to hold: tasks that are missing, outdated or live, seen from its tables alone.

What the server holds instead is compared in `reconcile.py`; carrying it out is the business of `tasks/push.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal
from labelloop.shares import in_share
from labelloop.spec import ProjectSpec
from labelloop.sql import session
from labelloop.task_data import task_data

# By ref_id the bytes of the media of some rows, where a task shows content.
Contents = Callable[[Sequence[Mapping[str, Any]]], Mapping[str, bytes]]

# A unit is current while every member is there, in the version it was chosen in.
_CURRENT = """
CREATE TEMP TABLE current_units AS
SELECT m.unit_id, first(r.bucket ORDER BY m.place) AS bucket, first(r.key ORDER BY m.place) AS key,
       first(m.ref_id ORDER BY m.place) AS ref_id, first(m.media_version ORDER BY m.place) AS media_version
FROM (SELECT unit_id, unnest(ref_ids) AS ref_id, unnest(media_versions) AS media_version,
             generate_subscripts(ref_ids, 1) AS place FROM units) m
LEFT JOIN refs r ON r.ref_id = m.ref_id
GROUP BY m.unit_id
HAVING bool_and(coalesce(r.state = 'active' AND r.media_version = m.media_version, false))
"""

# What stands on the screen: every member, and what the version in force says of it.
_SHOWN = """
CREATE TEMP TABLE shown AS
SELECT m.unit_id, max(r.changed_at) AS changed_at,
       list({'ref_id': r.ref_id, 'bucket': r.bucket, 'key': r.key, 'score': p.confidence, 'source': p.model_version}
            ORDER BY m.place) AS members
FROM (SELECT unit_id, unnest(ref_ids) AS ref_id, unnest(media_versions) AS media_version,
             generate_subscripts(ref_ids, 1) AS place FROM units) m
JOIN refs r USING (ref_id)
LEFT JOIN predictions p
       ON p.ref_id = m.ref_id AND p.media_version = m.media_version AND p.model_version = $version
GROUP BY m.unit_id
"""

_MISSING = """
SELECT b.unit_id, c.ref_id, c.bucket, c.key, s.members, b.queue_score, p.predicted
FROM batches b JOIN current_units c USING (unit_id) JOIN shown s USING (unit_id)
LEFT JOIN predictions p
       ON p.ref_id = c.ref_id AND p.media_version = c.media_version AND p.model_version = $version
WHERE NOT EXISTS (FROM tasks t WHERE t.unit_id = b.unit_id AND t.state <> 'suspended')
ORDER BY b.queue_score, b.unit_id
"""

_OUTDATED = """
SELECT t.unit_id, t.task_id, t.state, bool_or(coalesce(r.state = 'missing', false)) AS is_missing
FROM tasks t ANTI JOIN current_units USING (unit_id)
LEFT JOIN (SELECT unit_id, unnest(ref_ids) AS ref_id FROM units) m USING (unit_id) LEFT JOIN refs r USING (ref_id)
WHERE t.state IN ('open', 'answered') GROUP BY ALL ORDER BY t.task_id
"""

# Whether the address really is another one is seen on the server: media that was away and came back has its old one.
_LIVE = """
SELECT t.unit_id, t.task_id, t.state, t.overlap, t.queue_score, t.queue_version, t.prediction_shown,
       c.ref_id, c.bucket, c.key, s.members, b.stratum, b.strategy, b.rank, p.confidence, p.predicted,
       CASE WHEN s.changed_at > t.pushed_at THEN s.changed_at END AS moved_at
FROM tasks t JOIN current_units c USING (unit_id) JOIN shown s USING (unit_id) JOIN batches b USING (unit_id)
LEFT JOIN predictions p
       ON p.ref_id = c.ref_id AND p.media_version = c.media_version AND p.model_version = $version
WHERE t.state IN ('open', 'answered') ORDER BY t.task_id
"""


@dataclass(frozen=True)
class Wanted:
    """What Label Studio should hold, as far as the lake knows.

    `version`: whose predictions order the queue.
    `missing`: units without a task (unit_id, ref_id, bucket, key, members, queue_score, predicted), in queue order.
    `outdated`: open and answered tasks whose media is gone or changed (unit_id, task_id, state, is_missing).
    `live`: the other open and answered tasks (unit_id, task_id, state, overlap, queue_score, queue_version,
    prediction_shown, ref_id, bucket, key, members, stratum, strategy, rank, confidence, predicted, moved_at: since
    when its media may lie elsewhere).
    Members are `ref_id, bucket, key`, and `score, source` of the version in force.
    """

    version: str
    missing: pa.Table
    outdated: pa.Table
    live: pa.Table


def wanted_tasks(
    *,
    units: pa.Table,
    batches: pa.Table,
    references: pa.Table,
    tasks: pa.Table,
    predictions: pa.Table,
    version: str,
) -> Wanted:
    """Return what is missing, outdated and live in Label Studio, as far as the lake knows.

    Args:
        units: rows of the contract `units`.
        batches: rows of the contract `batches`.
        references: rows of the contract `references`.
        tasks: rows of the contract `tasks`; a unit with a row is never asked twice, not even a withdrawn one, unless
            its task was suspended and its media is back.
        predictions: rows of the contract `predictions`.
        version: the version whose predictions order the queue now.
    """
    tables = {"units": units, "batches": batches, "refs": references, "tasks": tasks, "predictions": predictions}
    with session() as db:
        for name, table in tables.items():
            db.register(name, table)
        db.execute(_CURRENT)
        given = {"version": version}
        db.execute(_SHOWN, given)
        return Wanted(
            version,
            missing=db.sql(_MISSING, params=given).to_arrow_table(),
            outdated=db.sql(_OUTDATED).to_arrow_table(),
            live=db.sql(_LIVE, params=given).to_arrow_table(),
        )


def current_units(units: pa.Table, references: pa.Table) -> pa.ChunkedArray:
    """Return the ids of the units whose every member is there, in the version it was chosen in.

    Args:
        units: at least `unit_id, ref_ids, media_versions` of the contract `units`.
        references: at least `ref_id, bucket, key, media_version, state` of the contract `references`.
    """
    with session() as db:
        db.register("units", units)
        db.register("refs", references)
        db.execute(_CURRENT)
        return db.sql("SELECT unit_id FROM current_units").to_arrow_table()["unit_id"]


def importable(
    spec: ProjectSpec, wanted: Wanted, contents: Contents
) -> tuple[dict[str, dict[str, Any]], list[Refusal]]:
    """Return the task of each missing unit as Label Studio takes it, and what it could not show."""
    tasks, refused, rows = {}, [], wanted.missing.to_pylist()
    held = contents(rows)
    for row in rows:
        data = task_data(spec, row, contents=held, blind=is_blind(spec, row["unit_id"]))
        if isinstance(data, str):
            refused.append(Refusal("tasks", row["unit_id"], data, "key", {"ref_id": row["ref_id"]}))
            continue
        entry = prediction(spec, score=row["queue_score"], version=wanted.version, predicted=row["predicted"])
        tasks[row["unit_id"]] = {"data": data, "predictions": [entry]}
    return tasks, refused


def planned_overlap(spec: ProjectSpec, unit_id: str) -> int:
    """Return how many opinions are planned for a unit: a fixed share of units, drawn by their digest, gets several.

    >>> from labelloop.spec.sections import Overlap
    >>> spec = ProjectSpec.model_construct(name="p", overlap=Overlap(share=1.0, annotators=3))
    >>> planned_overlap(spec, "u1")
    3
    """
    return spec.overlap.annotators if in_share(spec.overlap.share, "overlap", spec.name, unit_id) else 1


def pre_filled(spec: ProjectSpec, predicted: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return for each answer of a model whether annotators would see it; `prediction` says how."""
    choices = [q for q in spec.interface.questions if q.type == "choices" and not q.per_mark]
    labels = {value for question in choices for value in question.values} if spec.predictions.show else ()
    return pc.is_in(predicted, pa.array(sorted(labels), pa.string()))


def is_blind(spec: ProjectSpec, unit_id: str) -> bool:
    """Return whether a unit shows nothing of a model: a fixed share of units, drawn by their digest.

    What people answer there tells what a shown prediction does to the answers of the others.
    """
    return in_share(spec.predictions.blind_share, "blind", spec.name, unit_id)


def blinded(spec: ProjectSpec, wanted: Wanted) -> Wanted:
    """Return what is wanted without the model's answer to blind units; their place in the queue stays."""
    return replace(wanted, missing=_unpredicted(spec, wanted.missing), live=_unpredicted(spec, wanted.live))


def _unpredicted(spec: ProjectSpec, rows: pa.Table) -> pa.Table:
    if not spec.predictions.show:
        return rows
    blind = pa.array([is_blind(spec, unit) for unit in rows["unit_id"].to_pylist()], pa.bool_())
    shown = pc.if_else(blind, pa.scalar(None, rows.schema.field("predicted").type), rows["predicted"])
    return rows.set_column(rows.schema.get_field_index("predicted"), "predicted", shown)


def prediction(spec: ProjectSpec, *, score: float, version: str, predicted: str | None) -> dict[str, Any]:
    """Return the prediction that puts a task into its place of the queue; empty unless the spec shows it.

    Args:
        spec: the project.
        score: place in the queue, in [0, 1], ascending is first.
        version: whose prediction it is; the server orders by one version.
        predicted: the model's answer, pre-filled into the first choices that have it as a label.
    """
    result = []
    for question in spec.interface.questions if spec.predictions.show and predicted is not None else ():
        if question.type == "choices" and not question.per_mark and predicted in question.values:
            place = {"from_name": question.name, "to_name": spec.interface.aims(question)[0], "type": "choices"}
            result = [{**place, "value": {"choices": [predicted]}}]
            break
    return {"model_version": version, "score": score, "result": result}
