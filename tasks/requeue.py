"""The queue of open tasks, brought up to date with the version that orders it now."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from tasks.artifacts import progress
from tasks.clients.hot import Json
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.labelling_project import LabellingProject
from tasks.task_states import change_tasks

_BATCH = 1_000  # predictions in one request; each request costs the server a second, however few they are


def requeue(world: World, lease: Lease, home: LabellingProject, entries: Mapping[str, Json]) -> None:
    """Replace the predictions of tasks, by unit; some seconds long those of a batch have no place in the queue.

    The server deletes predictions quickly only by task, all of them. The lake learns of the new ones at the end, so
    that a rerun after a kill replaces all of them again, and none is there twice.
    """
    waiting = iter(entries.values())
    with progress(len(entries), "predictions to Label Studio") as bar:
        while batch := list(islice(waiting, _BATCH)):
            lease.check()
            world.label_studio.delete_predictions(home.ls_project, [entry["task"] for entry in batch])
            lease.check()
            world.label_studio.import_predictions(home.ls_project, batch)
            bar.advance(len(batch))
    change_tasks(world, lease, {unit: _columns(entry) for unit, entry in entries.items()}, stage="push")


def order_by(world: World, lease: Lease, home: LabellingProject, version: str) -> None:
    """Tell the server whose predictions order the queue; it refuses a version that no prediction has."""
    settings = world.label_studio.project(home.ls_project)
    if settings is None or settings.get("model_version") != version:
        lease.check()
        world.label_studio.change_project(home.ls_project, {"model_version": version})


def _columns(entry: Json) -> Json:
    return {
        "queue_score": entry["score"],
        "queue_version": entry["model_version"],
        "prediction_shown": bool(entry["result"]),
    }
