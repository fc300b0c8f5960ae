"""Adjudication: ask for another opinion where annotators disagree, and list what only an expert can settle."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.adjudication import Docket, adjudicate
from labelloop.onboarding import due
from labelloop.opinions import experts_among
from labelloop.push import current_units
from labelloop.redundancy import chances
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.deciding import learnt_last
from tasks.hand_out import finish_early, hand_out
from tasks.labelling_project import known_project
from tasks.people import ANSWERED
from tasks.policies import OUTSIDE
from tasks.redundancy import firsts_of
from tasks.stage import finish, stage
from tasks.task_states import change_tasks


@task(name="adjudication", **OUTSIDE)
def adjudication(project: str) -> dict[str, object]:
    """Reopen tasks in conflict for one more opinion; list the others for an expert."""
    with stage(project, "adjudication") as (world, lease):
        return finish(adjudicate_conflicts(world, lease))


def adjudicate_conflicts(world: World, lease: Lease) -> Summary:
    """Raise and reopen what may be asked again, and publish what waits for an expert.

    Killed between raising and writing it down, the rerun raises to the same number of opinions.
    """
    if known_project(world) is None:
        return Summary(stage="adjudication", notes=("nothing is in Label Studio yet",))
    docket, newcomers = docket_of(world), due(firsts_of(world), world.table("tasks").read()).to_pylist()
    asked = docket.ask_again.to_pylist()
    overlaps = {row["task_id"]: row["overlap"] for row in [*asked, *newcomers]}
    hand_out(world, lease, overlaps, overlaps)
    changes = {row["unit_id"]: {"overlap": row["overlap"], "state": "open"} for row in [*asked, *newcomers]}
    change_tasks(world, lease, changes, stage="adjudication")
    sure = docket.sure.to_pylist()
    finish_early(world, lease, sure)
    change_tasks(world, lease, {row["unit_id"]: {"overlap": row["answers"]} for row in sure}, stage="adjudication")
    _show(world, docket)
    counts = {"asked_again": len(asked), "for_expert": docket.for_expert.num_rows, "sure": len(sure)}
    return Summary(stage="adjudication", counts=counts)


def docket_of(world: World) -> Docket:
    """Return what becomes of each conflict, as the lake has them now."""
    spec, people, tasks = world.spec, world.table("annotators").read(), current_tasks(world)
    labels = world.table("labels").read(columns=["unit_id", "control", "confidence", "n", "method", "state"])
    conflicts, learnt = labels.filter(pc.equal(labels["state"], "conflict")), learnt_last(world)
    disputed = set(conflicts["control"].to_pylist())
    to_learn = set(conflicts.filter(pc.equal(conflicts["method"], spec.consensus.method))["control"].to_pylist())
    in_question = _units_of(conflicts, tasks.filter(pc.equal(tasks["state"], "open")))
    where = text_of("unit_id").isin(in_question) if to_learn <= learnt.keys() else None
    annotations = world.table("annotations").read(columns=ANSWERED, where=where)
    return adjudicate(
        labels,
        tasks,
        annotations,
        firsts=firsts_of(world),
        chances=chances(annotations, disputed, experts=experts_among(people), spec=spec, learnt=learnt),
        maximum=min(spec.overlap.maximum, spec.annotators.count),
        annotators=spec.annotators.count,
        extra_share=spec.overlap.extra_share,
    )


def _units_of(*tables: pa.Table) -> pa.Array:
    return pc.unique(pa.chunked_array([chunk for table in tables for chunk in table["unit_id"].chunks], pa.string()))


def current_tasks(world: World) -> pa.Table:
    """Return the tasks that opinions may still be asked of.

    Their media is what was asked about, since no opinion on other bytes may join the old ones; and their answer was
    not known before, since gold and repeated units test people, not the other way round.
    """
    units = world.table("units").read(columns=["unit_id", "ref_ids", "media_versions", "purpose"])
    open_units = units.filter(pc.is_in(units["purpose"], value_set=pa.array(["label", "audit"])))
    references = world.table("references").read(columns=["ref_id", "bucket", "key", "media_version", "state"])
    tasks = world.table("tasks").read()
    current = current_units(open_units, references)
    return tasks.filter(pc.is_in(tasks["unit_id"], value_set=current.combine_chunks()))


def _show(world: World, docket: Docket) -> None:
    page = f"{world.label_studio.address}/projects"
    rows: list[dict[str, Any]] = [
        {
            "task": f"{page}/{row['ls_project']}/data?task={row['task_id']}",
            "question": row["control"],
            "confidence": row["confidence"],
            "opinions": row["n"],
        }
        for row in docket.for_expert.to_pylist()
    ]
    publish_table("for-expert", rows, "Open each task as an expert and answer it: the answer is the ruling")
