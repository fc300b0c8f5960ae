"""Tasks whose media is not what it was when they were asked: taken back, or finished.

What somebody has answered already keeps its label for the media version it speaks of; nobody is asked about other
bytes under the same unit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.in_flight import for_each
from tasks.labelling_project import LabellingProject
from tasks.task_states import change_tasks
from tasks.tombstones import bury

_Row = dict[str, Any]


@dataclass(frozen=True)
class Outdated:
    """Tasks of missing or changed media by what becomes of them, rows `unit_id, task_id`.

    `withdraw`: deleted on the server, where they are (`is_there`), and created again should their media return.
    `finish`: some have answered them; handed out no more (`answers`). `kept`: how many answers about missing media
    wait for its return.
    """

    withdraw: list[_Row]
    finish: list[_Row]
    kept: int


def sort_outdated(world: World, home: LabellingProject, outdated: pa.Table) -> Outdated:
    """Return what becomes of outdated tasks; answers about missing media as `media.missing_answers` says."""
    rows = outdated.to_pylist()
    there = {task.task_id: task for task in world.label_studio.tasks(home.ls_project, [r["task_id"] for r in rows])}
    found, kept = Outdated([], [], 0), 0
    for row in rows:
        task = there.get(row["task_id"])
        is_answered = row["state"] == "answered" or bool(task and task.annotations)
        if not is_answered or (row["is_missing"] and world.spec.media.missing_answers == "withdraw"):
            found.withdraw.append({**row, "is_there": task is not None})
            continue
        kept += row["is_missing"]
        if row["state"] == "open" and task:
            found.finish.append({**row, "answers": task.answers})
    return Outdated(found.withdraw, found.finish, kept)


def take_back(world: World, lease: Lease, rows: Collection[_Row]) -> None:
    """Delete tasks on the server; their answers become tombstones, so that consensus forgets them."""
    numbers = {row["task_id"] for row in rows}
    for_each(lease, sorted(numbers), world.label_studio.delete_task, "tasks taken back", at_once=1)
    bury(world, lease, numbers, stage="push")
    change_tasks(world, lease, {row["unit_id"]: {"state": "suspended"} for row in rows}, stage="push")
