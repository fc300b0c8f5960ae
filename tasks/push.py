"""Push: put the units of the round in front of annotators, once each, in the order of the queue.

Does what the survey found, in an order that can be killed anywhere: the rerun finds what had arrived on the server
and carries on; an import is never repeated without looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import task

from labelloop import guidelines
from labelloop.changes import Changes
from labelloop.summary import Summary
from tasks.artifacts import publish_link, publish_table
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.rounds import current_round, save_round
from tasks.clients.world import World
from tasks.hand_out import finish_early, hand_out
from tasks.in_flight import for_each
from tasks.labelling_project import LabellingProject, ensure_project
from tasks.outdated import take_back
from tasks.policies import OUTSIDE
from tasks.redundancy import first_by_unit
from tasks.requeue import order_by, requeue
from tasks.set_up import set_up
from tasks.settled import settle, unsettle
from tasks.stage import finish, stage
from tasks.survey_review import reviewing_world, survey_with_review
from tasks.task_import import import_tasks
from tasks.task_states import add_tasks, change_tasks

_Row = dict[str, Any]


@task(name="push", **OUTSIDE)
def push(project: str, full: bool = False) -> dict[str, object]:
    """Bring Label Studio to what spec and lake say: project, interface, tasks, overlap, queue."""
    with stage(project, "push") as (world, lease):
        return finish(push_round(world, lease, full=full))


def push_round(world: World, lease: Lease, *, full: bool = False) -> Summary:
    """Create, withdraw and re-rank tasks until Label Studio holds what the lake says, then open the round.

    Args:
        world: the project's world.
        lease: checked before each effect.
        full: read every task, not only what changed since the last push.

    Raises:
        DecisionNeeded: the interface of the spec would lose answers; nothing was changed.
    """
    changes = survey_with_review(world, full=full)
    counts = carry_out(world, lease, changes)
    _open_round(world)
    record = current_round(world.hot, world.project)
    notes = (f"round {record.number}" if record else "no round yet", *changes.notes())
    return Summary(stage="push", counts=counts, notes=notes)


def carry_out(world: World, lease: Lease, changes: Changes) -> dict[str, int]:
    """Do what a survey found, nothing else, and return the counts of what was done.

    Raises:
        DecisionNeeded: answers would be lost; nothing was changed.
    """
    changes.refuse_losses()
    if changes.rows():
        unsettle(world, lease)
    home = ensure_project(world, lease)
    set_up(world, lease, home, changes)
    _set_up_review(world, lease, changes.reviewing)
    take_back(world, lease, changes.withdraw)
    finish_early(world, lease, changes.finish)
    _readdress(world, lease, changes.readdress)
    doubles = [stray.task_id for stray in changes.surplus]
    for_each(lease, doubles, world.label_studio.delete_task, "doubles and orphans deleted", at_once=1)
    quarantine(world, lease, list(changes.refused), stage="push")
    firsts = first_by_unit(world) if changes.create or changes.adopt else {}
    created = _create(world, lease, home, changes, firsts)
    overlaps = _hand_out(world, lease, changes, {number: firsts[unit] for unit, number in created.items()})
    requeue(world, lease, home, changes.rescore)
    if changes.order or changes.rescore or created:
        order_by(world, lease, home, changes.version)
    _tell(world, lease, changes)
    gone = len(changes.surplus) + sum(row["is_there"] for row in changes.withdraw)
    settle(world, lease, home, changes, tasks=changes.there + len(created) - gone)
    counts = changes.counts() | {"created": len(created), "overlap_set": overlaps}
    _show(world, home, counts)
    return counts


def _set_up_review(world: World, lease: Lease, changes: Changes | None) -> None:
    if changes:
        reviewing = reviewing_world(world)
        set_up(reviewing, lease, ensure_project(reviewing, lease), changes)


def _readdress(world: World, lease: Lease, shown: Mapping[int, _Row]) -> None:
    data = [(number, row["data"]) for number, row in shown.items()]
    for_each(lease, data, lambda one: world.label_studio.change_data(*one), "tasks that show what they should")


def _create(
    world: World, lease: Lease, home: LabellingProject, changes: Changes, firsts: Mapping[str, int]
) -> dict[str, int]:
    """Import what is missing, write its rows and those of tasks left behind, and return what was created."""
    known = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()
    left_behind = {unit: number for unit, (number, _) in changes.adopt.items()}
    newest = max([*known, *left_behind.values()], default=0)
    created = import_tasks(world, lease, home.ls_project, changes.create, newest=newest)
    wires = {**changes.create, **{unit: wire for unit, (_, wire) in changes.adopt.items()}}
    rows = [
        {**_row(world, home, unit, number, wires[unit]), "overlap": firsts[unit]}
        for unit, number in {**left_behind, **created}.items()
    ]
    add_tasks(world, lease, rows, stage="push")
    return created


def _hand_out(world: World, lease: Lease, changes: Changes, created: Mapping[int, int]) -> int:
    """Bring tasks to their overlap, hand out again what is finished too early, and return how many were set."""
    # An import takes no overlap: it is 1 for all.
    overlaps = {**changes.overlaps, **{number: wanted for number, wanted in created.items() if wanted > 1}}
    hand_out(world, lease, overlaps, changes.reopen)
    return len(overlaps)


def _tell(world: World, lease: Lease, changes: Changes) -> None:
    """Note the guidelines that open tasks are shown with from now on."""
    current = guidelines.version(world.spec.guidelines.text)
    change_tasks(world, lease, {unit: {"guideline_version": current} for unit in changes.guidelines}, stage="push")


def _row(world: World, home: LabellingProject, unit: str, number: int, wire: _Row) -> _Row:
    entry = wire["predictions"][0]
    return {
        "unit_id": unit,
        "server": home.server,
        "ls_project": home.ls_project,
        "task_id": number,
        "state": "open",
        "queue_score": entry["score"],
        "queue_version": entry["model_version"],
        "prediction_shown": bool(entry["result"]),
        "guideline_version": guidelines.version(world.spec.guidelines.text),
    }


def _open_round(world: World) -> None:
    record = current_round(world.hot, world.project)
    if record and record.state == "chosen":
        save_round(world.hot, world.project, record.model_copy(update={"state": "open"}))


def _show(world: World, home: LabellingProject, counts: dict[str, int]) -> None:
    publish_table("push", [counts], "Tasks in Label Studio, by what was done to them")
    page = f"{world.label_studio.address}/projects/{home.ls_project}/data"
    publish_link("labelling-project", page, f"{world.spec.title} in Label Studio")
