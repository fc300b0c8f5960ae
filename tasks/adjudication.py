"""Adjudication: ask for another opinion where annotators disagree, and list what only an expert can settle."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.adjudication import Docket, adjudicate
from labelloop.push import current_units
from labelloop.summary import Summary
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.labelling_project import known_project
from tasks.policies import OUTSIDE
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
    spec = world.spec
    docket = adjudicate(
        world.table("labels").read(),
        _current_tasks(world),
        world.table("annotations").read(),
        maximum=min(spec.overlap.maximum, spec.annotators.count),
        annotators=spec.annotators.count,
    )
    asked = docket.ask_again.to_pylist()
    for row in asked:
        lease.check()
        world.label_studio.set_overlap(row["task_id"], row["overlap"])
        lease.check()
        world.label_studio.reopen(row["task_id"])
    changes = {row["unit_id"]: {"overlap": row["overlap"], "state": "open"} for row in asked}
    change_tasks(world, lease, changes, stage="adjudication")
    _show(world, docket)
    counts = {"asked_again": len(asked), "for_expert": docket.for_expert.num_rows}
    return Summary(stage="adjudication", counts=counts)


def _current_tasks(world: World) -> pa.Table:
    """Return the tasks whose media still is what was asked about: no opinion on other bytes may join the old ones."""
    units = world.table("units").read(columns=["unit_id", "ref_ids", "media_versions"])
    references = world.table("references").read(columns=["ref_id", "bucket", "key", "media_version", "state"])
    tasks = world.table("tasks").read()
    current = current_units(units, references)
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
