"""Review: put what annotators dispute, and a share of what they agree on, before an expert.

The reviewing project is a labelling project like any other, with tables of its own, in which units keep their ids; so
push, collect and erasure treat it as they treat all.
"""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.changes import Changes
from labelloop.contracts import contract
from labelloop.opinions import without_confirmations
from labelloop.review import review_cases, unruled
from labelloop.review_project import showing_answers
from labelloop.summary import Summary
from labelloop.workbench import RemoteTask
from tasks.adjudication import current_tasks, docket_of
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.hand_out import hand_out
from tasks.labelling_project import known_project
from tasks.policies import OUTSIDE
from tasks.push import carry_out
from tasks.stage import finish, stage
from tasks.survey import survey
from tasks.survey_review import reviewing_world
from tasks.task_states import change_tasks


@task(name="review", **OUTSIDE)
def review(project: str) -> dict[str, object]:
    """Bring new cases before the experts."""
    with stage(project, "review") as (world, lease):
        return finish(review_disputes(world, lease))


def review_disputes(world: World, lease: Lease) -> Summary:
    """Ask experts about each case once, those first that a ruling would most likely change.

    Killed anywhere, the rerun finds the units it wrote and carries on.
    """
    if known_project(world) is None:
        return Summary(stage="review", notes=("nothing is in Label Studio yet",))
    if world.spec.annotators.experts == 0:
        return Summary(stage="review", notes=("annotators.experts is 0: nobody could rule",))
    reviewing, cases = reviewing_world(world), _cases(world)
    known = reviewing.table("batches").read(columns=["unit_id"])["unit_id"].combine_chunks()
    new = cases.filter(pc.invert(pc.is_in(cases["unit_id"], value_set=known)))
    refused = _write(world, reviewing, lease, new)
    counts = carry_out(reviewing, lease, _with_answers(world, reviewing, survey(reviewing)))
    again = _ask_again(reviewing, lease)
    _show(new)
    counted = {"cases": new.num_rows, "created": counts["created"], "refused": refused}
    notes = (f"{again} cases that others than experts answered are handed out again",) if again else ()
    return Summary(stage="review", counts=counted, notes=notes)


def _cases(world: World) -> pa.Table:
    return review_cases(
        world.spec,
        labels=world.table("labels").read(columns=["unit_id", "control", "confidence", "decided_by", "state"]),
        conflicts=docket_of(world).for_expert,
        annotations=world.table("annotations").read(),
        people=world.table("annotators").read(columns=["annotator", "level"]),
        tasks=current_tasks(world),
    )


def _write(world: World, reviewing: World, lease: Lease, cases: pa.Table) -> int:
    """Write cases as units and batches of the reviewing project, and return how many rows were refused.

    A unit of which no batch tells is written again.
    """
    units = world.table("units").read()
    asked = units.filter(pc.is_in(units["unit_id"], value_set=cases["unit_id"].combine_chunks())).to_pylist()
    rounds, now, seed = {row["unit_id"]: row["round"] for row in asked}, world.now(), world.spec.sampling.seed
    batch = [
        {
            "unit_id": row["unit_id"],
            "round": rounds[row["unit_id"]],
            "rank": rank,
            "stratum": "exploit",
            "strategy": "review",
            "acquisition_score": row["change"],
            "queue_score": 1.0 - row["change"],
            "reason": row["reason"],
            "seed": seed,
            "created_at": now,
        }
        for rank, row in enumerate(cases.to_pylist())
    ]
    reviewed = [row | {"purpose": "review", "created_at": now} for row in asked]
    return sum(
        commit(reviewing, lease, name, pa.Table.from_pylist(rows, schema=contract(name).schema), stage="review")
        for name, rows in (("units", reviewed), ("batches", batch))
    )


def _with_answers(world: World, reviewing: World, changes: Changes) -> Changes:
    """Return the changes with what annotators said in each new task, and in open ones that show something else."""
    waiting = {task.unit_id: task for task in _open_cases(reviewing)}
    moved = {row["unit_id"]: {"data": row["data"]} for row in changes.readdress.values()}
    shown = {unit: {"data": task.data} for unit, task in waiting.items()} | moved | dict(changes.create)
    annotations = without_confirmations(world.table("annotations").read(), world.spec.interface)
    disputed = pc.is_in(annotations["unit_id"], value_set=pa.array(list(shown), pa.string()))
    said = showing_answers(shown, annotations.filter(disputed))
    stale = {
        task.task_id: {"unit_id": unit, "data": said[unit]["data"]}
        for unit, task in waiting.items()
        if said[unit]["data"] != task.data
    }
    return replace(
        changes,
        create={unit: said[unit] for unit in changes.create},
        readdress={**changes.readdress, **stale},
    )


def _open_cases(reviewing: World) -> list[RemoteTask]:
    home, tasks = known_project(reviewing), reviewing.table("tasks").read(columns=["task_id", "state"])
    waiting = tasks.filter(pc.equal(tasks["state"], "open"))["task_id"].to_pylist()
    return reviewing.label_studio.tasks(home.ls_project, waiting) if home and waiting else []


def _ask_again(reviewing: World, lease: Lease) -> int:
    """Hand out again what somebody else took from the experts, as everybody in Label Studio can."""
    tables = (reviewing.table(name).read() for name in ("tasks", "annotations", "annotators"))
    rows = unruled(*tables).to_pylist()
    overlaps = {row["task_id"]: row["overlap"] for row in rows}
    hand_out(reviewing, lease, overlaps, overlaps)
    changes = {row["unit_id"]: {"overlap": row["overlap"], "state": "open"} for row in rows}
    change_tasks(reviewing, lease, changes, stage="review")
    return len(rows)


def _show(cases: pa.Table) -> None:
    reasons = cases.group_by("reason").aggregate([("unit_id", "count")]).sort_by("reason").to_pylist()
    rows = [{"reason": row["reason"], "cases": row["unit_id_count"]} for row in reasons]
    publish_table("review", rows, "New cases for experts, by why they are reviewed")
