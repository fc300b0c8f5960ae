"""Survey: read the lake and Label Studio, change nothing, and return all that would have to change.

After a push that left its mark only what changed since then is read, and what the lake wants otherwise now; without a
mark, or when asked to, every task. The project itself is surveyed in `survey_project.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop import guidelines
from labelloop.changes import Changes
from labelloop.pool import scoring_model
from labelloop.project_settings import SettingChange
from labelloop.push import Wanted, blinded, importable, wanted_tasks
from labelloop.queue_entries import new_predictions, stale_tasks
from labelloop.reconcile import Inspection, sort_strays
from labelloop.workbench import RemoteTask
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tasks.contents import contents_of
from tasks.labelling_project import LabellingProject, known_project
from tasks.outdated import sort_outdated
from tasks.redundancy import first_by_unit
from tasks.settled import Settled, settled
from tasks.survey_project import inspection_of, setting_changes, wanted_project, with_project

Row = dict[str, Any]
# Whoever changes one of these may have changed every task.
_FAR_REACHING = frozenset(["label_config", "maximum_annotations"])


def survey(world: World, *, full: bool = False) -> Changes:
    """Return all that would have to change in Label Studio.

    Args:
        world: the project's world.
        full: read every task, not only what changed since the last push.

    Raises:
        WrongServerError: the server that answers does not hold the project.
    """
    surveyed = world.now()  # before the lake is read: what changes meanwhile is for the next one
    home, wanted = known_project(world), wanted_of(world)
    create, refused = importable(world.spec, wanted, partial(contents_of, world))
    begun = Changes(wanted.version, surveyed, create=create, refused=refused)
    if home is None:
        return wanted_project(world, begun)
    settings = setting_changes(world.spec, home)
    mark = None if full or _reaches_far(settings) else settled(world, home)
    found = inspection_of(world, home, wanted, settings)
    found.look_at(_to_be_read(world, home, wanted, mark))
    changes = with_project(world, home, wanted, replace(begun, settings=settings), found)
    return _with_tasks(world, home, wanted, changes, found, mark)


def wanted_of(world: World) -> Wanted:
    """Return what the lake wants; before any model the round itself says whose predictions order the queue."""
    record = current_round(world.hot, world.project)
    read = ["ref_id", "media_version", "model_version", "probabilities", "confidence", "predicted", "created_at"]
    predictions = world.table("predictions").read(columns=read)
    model = scoring_model(world.table("models").read(), predictions, now=world.now())
    names = {name: world.table(name).read() for name in ("units", "batches", "references", "tasks")}
    version = model or f"cold-start-{record.number if record else 0}"
    return blinded(world.spec, wanted_tasks(**names, predictions=predictions, version=version))


def _reaches_far(settings: Iterable[SettingChange]) -> bool:
    return any(one.name in _FAR_REACHING and not one.kept for one in settings)


def _to_be_read(world: World, home: LabellingProject, wanted: Wanted, mark: Settled | None) -> Iterable[RemoteTask]:
    server = world.label_studio
    if mark is None:
        return server.changed_tasks(home.ls_project, None)
    moved = wanted.live.filter(pc.greater(wanted.live["moved_at"], pa.scalar(mark.surveyed)))
    return chain(
        server.changed_tasks(home.ls_project, mark.since),
        server.tasks(home.ls_project, moved["task_id"].to_pylist()),
    )


def _with_tasks(
    world: World, home: LabellingProject, wanted: Wanted, changes: Changes, found: Inspection, mark: Settled | None
) -> Changes:
    strays = sort_strays(found.strays, changes.create.keys(), changes.version)
    firsts = first_by_unit(world) if strays.adopted else {}
    for unit, task in strays.adopted.items():
        found.compare_queue(task, firsts[unit], changes.version, changes.create[unit]["predictions"][0]["score"])
    outdated = sort_outdated(world, home, wanted.outdated)
    return replace(
        changes,
        create={unit: task for unit, task in changes.create.items() if unit not in strays.adopted},
        adopt={unit: (task.task_id, _as_left(task, changes.create[unit])) for unit, task in strays.adopted.items()},
        surplus=strays.surplus,
        withdraw=outdated.withdraw,
        finish=outdated.finish,
        readdress=found.readdressed,
        overlaps=found.overlaps,
        reopen=found.reopened,
        rescore={
            **_rescored(world, wanted, changes.settings, found, mark),
            **_rescored_strays(strays.adopted, changes.create, found.unscored),
        },
        guidelines=_to_be_told(world),
        there=int(home.settings["task_number"]),
        kept_answers=outdated.kept,
        foreign=mark.foreign if mark else len(strays.foreign),
        spare=mark.spare if mark else found.spare + sum(task.predictions for task in strays.foreign),
        vanished=0 if mark else _vanished(wanted, found.present),
    )


def _rescored(
    world: World, wanted: Wanted, settings: Iterable[SettingChange], found: Inspection, mark: Settled | None
) -> dict[str, Row]:
    """Return the new predictions of stale tasks; those that vanished are the business of collect."""
    redrawn = any(one.name == "label_config" and not one.kept for one in settings)
    stale = stale_tasks(world.spec, wanted, unscored=found.unscored, finished=found.finished, redrawn=redrawn)
    if mark is None:
        stale = stale.filter(pc.is_in(stale["task_id"], pa.array(sorted(found.present), pa.int64())))
    return new_predictions(world.spec, stale, wanted.version)


def _as_left(task: RemoteTask, wanted: Row) -> Row:
    """Return the task with the version that it carries: one with answers is taken in with any."""
    return {**wanted, "predictions": [{**wanted["predictions"][0], "model_version": task.versions}]}


def _rescored_strays(
    adopted: Mapping[str, RemoteTask], wanted: Mapping[str, Row], unscored: Collection[int]
) -> dict[str, Row]:
    due = {unit: task.task_id for unit, task in adopted.items() if task.task_id in unscored}
    return {unit: {"task": number, **wanted[unit]["predictions"][0]} for unit, number in due.items()}


def _to_be_told(world: World) -> list[str]:
    """Return the units that wait under other guidelines than the present ones."""
    tasks = world.table("tasks").read(columns=["unit_id", "state", "guideline_version"])
    told = pc.equal(tasks["guideline_version"], guidelines.version(world.spec.guidelines.text))
    found: list[str] = tasks.filter(pc.and_not(pc.equal(tasks["state"], "open"), told))["unit_id"].to_pylist()
    return found


def _vanished(wanted: Wanted, present: Collection[int]) -> int:
    held = pa.chunked_array([*wanted.live["task_id"].chunks, *wanted.outdated["task_id"].chunks], pa.int64())
    return int(pc.sum(pc.invert(pc.is_in(held, pa.array(sorted(present), pa.int64())))).as_py() or 0)
