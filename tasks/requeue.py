"""The queue of open tasks, brought up to date with the version that orders it now.

Answered tasks keep the prediction they were answered with.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.push import prediction
from labelloop.sampling import queue_scores
from tasks.artifacts import progress
from tasks.clients.hot import Json
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.labelling_project import LabellingProject
from tasks.task_states import change_tasks

_BATCH = 500  # predictions in one request


def requeue(
    world: World, lease: Lease, home: LabellingProject, stale: pa.Table, version: str, present: set[int]
) -> int:
    """Give open tasks predictions of the new version and return how many got one.

    Args:
        world: the project's world.
        lease: checked before each effect.
        home: the project in Label Studio.
        stale: open tasks queued by another version, as `labelloop.push.plan` gives them.
        version: the version that orders the queue now.
        present: numbers of the tasks on the server; those that vanished are the business of collect.

    New predictions come first, then the server is told to order by them, then the old ones go: at no moment is a
    waiting task without a place in the queue. A rerun adds none twice.
    """
    there = stale.filter(pc.is_in(stale["task_id"], pa.array(sorted(present), pa.int64())))
    if there.num_rows == 0:
        return 0
    entries = _entries(world, there, version)
    held = world.label_studio.predictions(home.ls_project)
    done = {p.task_id for p in held if p.version == version}
    new = [entry for entry in entries.values() if entry["task"] not in done]
    with progress(len(new), "predictions to Label Studio") as bar:
        for start in range(0, len(new), _BATCH):
            lease.check()
            world.label_studio.import_predictions(home.ls_project, new[start : start + _BATCH])
            bar.advance(len(new[start : start + _BATCH]))
    _order_by(world, lease, home, version)
    old = [p.prediction_id for p in held if p.version != version and p.task_id in set(there["task_id"].to_pylist())]
    with progress(len(old), "outdated predictions") as bar:
        for prediction_id in old:
            lease.check()
            world.label_studio.delete_prediction(prediction_id)
            bar.advance()
    change_tasks(world, lease, {unit: _columns(entry) for unit, entry in entries.items()}, stage="push")
    return len(entries)


def order_by(world: World, lease: Lease, home: LabellingProject, version: str) -> None:
    """Tell the server whose predictions order the queue, once any task has one; it would refuse before."""
    tasks = world.table("tasks").read(columns=["queue_version", "state"])
    live = pc.is_in(tasks["state"], pa.array(["open", "answered"]))
    carrying = pc.and_(pc.equal(tasks["queue_version"], version), live)
    if pc.any(carrying).as_py():
        _order_by(world, lease, home, version)


def _order_by(world: World, lease: Lease, home: LabellingProject, version: str) -> None:
    settings = world.label_studio.project(home.ls_project)
    if settings is None or settings.get("model_version") != version:
        lease.check()
        world.label_studio.change_project(home.ls_project, {"model_version": version})


def _entries(world: World, stale: pa.Table, version: str) -> dict[str, Json]:
    """Return the new prediction of each unit; scores of one queue are made together, to be comparable."""
    confidence = stale["confidence"].to_numpy().astype(np.float64)
    if np.isnan(confidence).all():
        scores = stale["queue_score"].to_numpy()
    else:
        scores = queue_scores(stale, confidence, world.spec.sampling.seed)
    return {
        row["unit_id"]: {
            "task": row["task_id"],
            **prediction(world.spec, score=float(score), version=version, predicted=row["predicted"]),
        }
        for row, score in zip(stale.to_pylist(), scores, strict=True)
    }


def _columns(entry: Json) -> Json:
    return {
        "queue_score": entry["score"],
        "queue_version": entry["model_version"],
        "prediction_shown": bool(entry["result"]),
    }
