"""Adopt: take a project that people set up in Label Studio by hand over, with its interface, tasks and answers.

Its tasks get unit ids and are left as they are otherwise; their answers come with the next collect. Killed anywhere,
the rerun ends where an unbroken one would have; the project is tied to the spec last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from prefect import task

from labelloop import guidelines
from labelloop.adopt import STRATEGY, Adoption, adoptable, chosen_rows, spec_of
from labelloop.errors import InputError
from labelloop.rounds import Round
from labelloop.summary import Summary
from labelloop.units import units_of_batch
from labelloop.workbench import RemoteTask
from tasks.artifacts import progress, publish_table
from tasks.clients.label_studio import LabelStudio
from tasks.clients.lease import Lease
from tasks.clients.rounds import begin_round, current_round, save_round
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.labelling_project import LabellingProject, claim_project, tie_project
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.task_states import add_tasks

_REFERENCE = ["ref_id", "bucket", "key", "media_version", "state"]


@task(name="adopt", **OUTSIDE)
def adopt(project: str, ls_project: int) -> dict[str, object]:
    """Take over the tasks of a project in Label Studio."""
    with stage(project, "push") as (world, lease):
        return finish(adopt_tasks(world, lease, ls_project))


def described(server: LabelStudio, ls_project: int, *, name: str, xml_file: str) -> tuple[dict[str, Any], str]:
    """Return the document of a spec for a project that is there, and its labelling configuration as it is.

    Raises:
        InputError: there is no such project, or none that can be adopted.
    """
    settings = server.project(ls_project)
    if settings is None:
        raise InputError(f"Label Studio has no project {ls_project}", remedy="give the number in its address")
    addresses, people = set[str](), set[int]()
    for found in server.changed_tasks(ls_project, None):
        addresses |= set(found.media)
        people |= {annotation.user_id for annotation in found.annotations}
    return spec_of(settings, addresses, len(people), name=name, xml_file=xml_file), str(settings["label_config"])


def adopt_tasks(world: World, lease: Lease, ls_project: int) -> Summary:
    """Give every task that shows one known object a unit, and tie the project to the spec.

    Raises:
        InputError: the project is not there or not free, or the spec has rounds of its own.
    """
    home, record = claim_project(world, ls_project), _first_round(world)
    tasks = list(world.label_studio.changed_tasks(ls_project, None))
    found = adoptable(tasks, world.table("references").read(columns=_REFERENCE))
    units, batch = units_of_batch(
        chosen_rows(len(found.members)),
        [[member] for member in found.members.values()],
        (np.arange(len(found.members)) + 0.5) / max(len(found.members), 1),
        kind="single",
        project=world.project,
        round=record.number,
        at=record.opened_at,
    )
    commit(world, lease, "units", units, stage="push")
    _write_tasks(world, lease, home, tasks, found, batch)
    commit(world, lease, "batches", batch, stage="push")
    named = _name_units(world, lease, ls_project, found, units["unit_id"].to_pylist())
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


def _write_tasks(
    world: World,
    lease: Lease,
    home: LabellingProject,
    tasks: list[RemoteTask],
    found: Adoption,
    batch: pa.Table,
) -> None:
    """Write a row for each adopted task that has none, with the overlap it has."""
    known = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()
    present = {task.task_id: task for task in tasks}
    pairs = zip(found.members, batch.select(["unit_id", "queue_score"]).to_pylist(), strict=True)
    rows = [_row(world, home, present[number], unit) for number, unit in pairs if number not in set(known)]
    add_tasks(world, lease, rows, stage="push")


def _row(world: World, home: LabellingProject, present: RemoteTask, unit: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **unit,
        "server": home.server,
        "ls_project": home.ls_project,
        "task_id": present.task_id,
        "overlap": present.overlap,
        "state": "answered" if present.finished else "open",
        "queue_version": STRATEGY,
        "prediction_shown": world.spec.predictions.show,
        "guideline_version": guidelines.version(world.spec.guidelines.text),
    }


def _name_units(world: World, lease: Lease, ls_project: int, found: Adoption, units: list[str]) -> int:
    """Write unit and reference into the data of the tasks that do not hold them yet; return how many."""
    wanted = {
        number: {"unit": unit, "ref": ref}
        for (number, (ref, _)), unit in zip(found.members.items(), units, strict=True)
    }
    held = world.label_studio.data_of(ls_project, wanted)
    changed = {
        number: held[number] | names for number, names in wanted.items() if not names.items() <= held[number].items()
    }
    with progress(len(changed), "naming units in Label Studio") as bar:
        for number, data in changed.items():
            lease.check()
            world.label_studio.change_data(number, data)
            bar.advance()
    return len(changed)
