"""Adopt: take a project that people set up in Label Studio by hand over, with its interface, tasks and answers.

Its tasks get unit ids and are left as they are otherwise; their answers come with the next collect. Killed anywhere,
the rerun ends where an unbroken one would have; the project is tied to the spec last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import task

from labelloop import guidelines
from labelloop.adopt import STRATEGY, Adoption, adoptable, chosen_rows
from labelloop.errors import InputError
from labelloop.rounds import Round
from labelloop.summary import Summary
from labelloop.units import units_of_batch
from labelloop.workbench import RemoteTask
from tasks.artifacts import progress, publish_table
from tasks.clients.lease import Lease
from tasks.clients.rounds import begin_round, current_round, save_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.labelling_project import LabellingProject, claim_project, tie_project
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.task_states import add_tasks

_REFERENCE = ["ref_id", "bucket", "key", "media_version", "state"]


@dataclass(frozen=True)
class _Adopted:
    """A task that becomes a unit: what it shows, and the unit's id and place in the queue."""

    task: RemoteTask
    ref_id: str
    place: Mapping[str, Any]


@task(name="adopt", **OUTSIDE)
def adopt(project: str, ls_project: int) -> dict[str, object]:
    """Take over the tasks of a project in Label Studio."""
    with stage(project, "push") as (world, lease):
        return finish(adopt_tasks(world, lease, ls_project))


def adopt_tasks(world: World, lease: Lease, ls_project: int) -> Summary:
    """Give every task that shows one known object a unit, and tie the project to the spec.

    Raises:
        InputError: the project is not there or not free, or the spec has rounds of its own.
    """
    home, record = claim_project(world, ls_project), _first_round(world)
    present = {task.task_id: task for task in world.label_studio.changed_tasks(ls_project, None)}
    found = adoptable(present.values(), world.table("references").read(columns=_REFERENCE))
    units, batch = _units(world, record, found)
    places = batch.select(["unit_id", "queue_score"]).to_pylist()
    members = zip(found.members.items(), places, strict=True)
    adopted = [_Adopted(present[number], ref, place) for (number, (ref, _)), place in members]
    commit(world, lease, "units", units, stage="push")
    _write_tasks(world, lease, home, adopted)
    commit(world, lease, "batches", batch, stage="push")
    named = _name_units(world, lease, adopted)
    save_round(world.hot, world.project, record.model_copy(update={"state": "open", "size": units.num_rows}))
    tie_project(world, lease, home)
    counts = {"adopted": units.num_rows, "named": named, "without_medium": found.without_medium}
    counts |= {"unknown": found.unknown, "double": found.double}
    publish_table("adopt", [counts], "Tasks that were there, by what became of them")
    return Summary(stage="adopt", counts=counts)


def _first_round(world: World) -> Round:
    """Return the round that the adopted tasks are, begun if it was not."""
    record = current_round(world.hot, world.project)
    if record and record.strategy != STRATEGY:
        raise InputError(
            f"{world.project!r} has rounds of its own", remedy="adopt under a name that was not used before"
        )
    begun = Round(number=1, state="choosing", seed=0, size=0, strategy=STRATEGY, opened_at=world.now())
    return record or begin_round(world.hot, world.project, begun)


def _units(world: World, record: Round, found: Adoption) -> tuple[pa.Table, pa.Table]:
    """Return rows of `units` and `batches`, one of each for every task, in the order of their numbers."""
    n = len(found.members)
    return units_of_batch(
        chosen_rows(n),
        [[member] for member in found.members.values()],
        (np.arange(n) + 0.5) / max(n, 1),
        kind="single",
        project=world.project,
        round=record.number,
        at=record.opened_at,
    )


def _write_tasks(world: World, lease: Lease, home: LabellingProject, adopted: Sequence[_Adopted]) -> None:
    """Write a row for each adopted task that has none, with the overlap it has."""
    known = set(world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist())
    rows = [_row(world, home, one) for one in adopted if one.task.task_id not in known]
    add_tasks(world, lease, rows, stage="push")


def _row(world: World, home: LabellingProject, adopted: _Adopted) -> dict[str, Any]:
    return {
        **adopted.place,
        "server": home.server,
        "ls_project": home.ls_project,
        "task_id": adopted.task.task_id,
        "overlap": adopted.task.overlap,
        "state": "answered" if adopted.task.finished else "open",
        "queue_version": STRATEGY,
        "prediction_shown": world.spec.predictions.show,
        "guideline_version": guidelines.version(world.spec.guidelines.text),
    }


def _name_units(world: World, lease: Lease, adopted: Sequence[_Adopted]) -> int:
    """Write unit and reference into the data of the tasks that do not hold them yet; return how many."""
    named = [(one.task, {**one.task.data, "unit": one.place["unit_id"], "ref": one.ref_id}) for one in adopted]
    changed = [(task.task_id, data) for task, data in named if data != task.data]
    with progress(len(changed), "naming units in Label Studio") as bar:
        for number, data in changed:
            lease.check()
            world.label_studio.change_data(number, data)
            bar.advance()
    return len(changed)
