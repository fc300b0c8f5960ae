"""Push: put the units of the round in front of annotators, once each, in the order of the queue.

Killed at any point, the rerun finds what had arrived on the server and carries on; an import is never repeated
without looking. How the queue is brought up to date with a newer model stands in `requeue.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop import guidelines
from labelloop.contracts import Refusal
from labelloop.pool import scoring_model
from labelloop.push import Plan, Strays, plan, planned_overlap, prediction, sort_strays
from labelloop.rounds import Round
from labelloop.summary import Summary
from labelloop.task_data import task_data
from labelloop.workbench import RemoteTask
from tasks.artifacts import progress, publish_link, publish_table
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.rounds import current_round, save_round
from tasks.clients.world import World
from tasks.contents import contents_of
from tasks.labelling_project import LabellingProject, ensure_project
from tasks.outdated import settle_outdated, show_where_it_lies
from tasks.policies import OUTSIDE
from tasks.requeue import order_by, requeue
from tasks.stage import finish, stage
from tasks.task_states import add_tasks, change_tasks

_BATCH = 500  # tasks in one request: about a second of the server's time
_Row = dict[str, Any]


@task(name="push", **OUTSIDE)
def push(project: str) -> dict[str, object]:
    """Bring Label Studio to what the lake says: tasks, overlap, queue."""
    with stage(project, "push") as (world, lease):
        return finish(push_round(world, lease))


def push_round(world: World, lease: Lease) -> Summary:
    """Create, withdraw and re-rank tasks until Label Studio holds what the lake says, then open the round."""
    record = current_round(world.hot, world.project)
    if record is None:
        return Summary(stage="push", notes=("no round yet",))
    home = ensure_project(world, lease)
    todo, version = _plan(world, record)
    present = world.label_studio.task_ids(home.ls_project)
    counts = {"already_there": len(present), "withdrawn": 0, "finished": 0, "kept": 0}
    counts |= settle_outdated(world, lease, home, todo)
    counts["readdressed"] = show_where_it_lies(world, lease, home, todo)
    strays = _clear_strays(world, lease, home, present, todo)
    counts |= {"surplus": len(strays.surplus), "foreign": len(strays.foreign)}
    counts |= _create(world, lease, home, todo, strays, version)
    counts["overlap_set"] += _keep_open_tasks(world, lease, home)
    counts["rescored"] = requeue(world, lease, home, todo.stale, version, present)
    order_by(world, lease, home, version)
    if record.state == "chosen":
        save_round(world.hot, world.project, record.model_copy(update={"state": "open"}))
    _show(world, home, counts)
    return Summary(stage="push", counts=counts, notes=(f"round {record.number}",))


def _plan(world: World, record: Round) -> tuple[Plan, str]:
    """Return what to do and whose predictions order the queue; before any model the round itself does."""
    read = ["ref_id", "media_version", "model_version", "probabilities", "confidence", "predicted", "created_at"]
    predictions = world.table("predictions").read(columns=read)
    version = (
        scoring_model(world.table("models").read(), predictions, now=world.now()) or f"cold-start-{record.number}"
    )
    names = {name: world.table(name).read() for name in ("units", "batches", "references", "tasks")}
    return plan(**names, predictions=predictions, version=version), version


def _clear_strays(world: World, lease: Lease, home: LabellingProject, present: set[int], todo: Plan) -> Strays:
    """Find out what the lake does not know on the server, and delete what nobody needs."""
    known = world.table("tasks").read(columns=["task_id"])["task_id"].to_pylist()
    unknown = world.label_studio.tasks(home.ls_project, present - set(known))
    strays = sort_strays(unknown, set(todo.missing["unit_id"].to_pylist()))
    for task_id in strays.surplus:
        lease.check()
        world.label_studio.delete_task(task_id)
    return strays


def _create(
    world: World, lease: Lease, home: LabellingProject, todo: Plan, strays: Strays, version: str
) -> dict[str, int]:
    """Import the tasks that are missing, raise their overlaps and write their rows; return the counts."""
    importable, refused = _importable(world, todo.missing, version)
    quarantine(world, lease, refused, stage="push")
    waiting = {unit: wire for unit, wire in importable.items() if unit not in strays.adopted}
    numbers = _import(world, lease, home, waiting)
    found = {unit: task.task_id for unit, task in strays.adopted.items() if unit in importable} | numbers
    adopted = [task for unit, task in strays.adopted.items() if unit in importable]
    wanted = {task_id: planned_overlap(world.spec, unit) for unit, task_id in found.items()}
    raised = _raise_overlaps(world, lease, adopted, wanted) + _raise_new(world, lease, numbers.values(), wanted)
    add_tasks(
        world, lease, [_row(world, home, u, n, wanted[n], importable[u]) for u, n in found.items()], stage="push"
    )
    return {"created": len(numbers), "adopted": len(adopted), "refused": len(refused), "overlap_set": raised}


def _importable(world: World, missing: pa.Table, version: str) -> tuple[dict[str, _Row], list[Refusal]]:
    """Return the task of each unit as Label Studio takes it, and what it could not show."""
    importable, refused, rows = {}, [], missing.to_pylist()
    contents = contents_of(world, rows)
    for row in rows:
        data = task_data(world.spec, row, contents=contents)
        if isinstance(data, str):
            refused.append(Refusal("tasks", row["unit_id"], data, "key", {"ref_id": row["ref_id"]}))
            continue
        entry = prediction(world.spec, score=row["queue_score"], version=version, predicted=row["predicted"])
        importable[row["unit_id"]] = {"data": data, "predictions": [entry]}
    return importable, refused


def _import(world: World, lease: Lease, home: LabellingProject, waiting: Mapping[str, _Row]) -> dict[str, int]:
    units, numbers = list(waiting), dict[str, int]()
    with progress(len(units), "tasks to Label Studio") as bar:
        for start in range(0, len(units), _BATCH):
            batch = units[start : start + _BATCH]
            lease.check()
            given = world.label_studio.import_tasks(home.ls_project, [waiting[unit] for unit in batch])
            numbers |= dict(zip(batch, given, strict=True))
            bar.advance(len(batch))
    return numbers


def _raise_new(world: World, lease: Lease, numbers: Iterable[int], wanted: Mapping[int, int]) -> int:
    """Raise the overlap of tasks imported just now, which is 1 whatever the import says."""
    raised = [number for number in numbers if wanted[number] > 1]
    with progress(len(raised), "overlaps") as bar:
        for number in raised:
            lease.check()
            world.label_studio.set_overlap(number, wanted[number])
            bar.advance()
    return len(raised)


def _raise_overlaps(world: World, lease: Lease, tasks: Iterable[RemoteTask], wanted: Mapping[int, int]) -> int:
    """Bring tasks that were there to their overlap, and hand out again what is finished too early."""
    raised = 0
    for found in tasks:
        overlap = wanted[found.task_id]
        if found.overlap != overlap:
            lease.check()
            world.label_studio.set_overlap(found.task_id, overlap)
            raised += 1
        if found.finished and found.answers < overlap:
            lease.check()
            world.label_studio.reopen(found.task_id)
    return raised


def _keep_open_tasks(world: World, lease: Lease, home: LabellingProject) -> int:
    """Follow changed settings: guidelines reach every open task, a hand-set overlap of all is undone."""
    tasks = world.table("tasks").read(columns=["unit_id", "task_id", "overlap", "state"])
    rows = tasks.filter(pc.equal(tasks["state"], "open")).to_pylist()
    current = guidelines.version(world.spec.guidelines.text)
    change_tasks(world, lease, {row["unit_id"]: {"guideline_version": current} for row in rows}, stage="push")
    if "maximum_annotations" not in home.mended:
        return 0
    wanted = {row["task_id"]: row["overlap"] for row in rows}
    return _raise_overlaps(world, lease, world.label_studio.tasks(home.ls_project, wanted), wanted)


def _row(world: World, home: LabellingProject, unit: str, number: int, overlap: int, wire: _Row) -> _Row:
    entry = wire["predictions"][0]
    return {
        "unit_id": unit,
        "server": home.server,
        "ls_project": home.ls_project,
        "task_id": number,
        "overlap": overlap,
        "state": "open",
        "queue_score": entry["score"],
        "queue_version": entry["model_version"],
        "prediction_shown": bool(entry["result"]),
        "guideline_version": guidelines.version(world.spec.guidelines.text),
    }


def _show(world: World, home: LabellingProject, counts: dict[str, int]) -> None:
    publish_table("push", [counts], "Tasks in Label Studio, by what was done to them")
    page = f"{world.label_studio.address}/projects/{home.ls_project}/data"
    publish_link("labelling-project", page, f"{world.spec.title} in Label Studio")
