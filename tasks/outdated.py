"""Tasks whose media is not what it was when they were asked: taken back, finished, or shown where it lies now.

What somebody has answered already keeps its label for the media version it speaks of; nobody is asked about other
bytes under the same unit.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from labelloop.push import Plan
from labelloop.task_data import addresses_in, task_data
from labelloop.workbench import RemoteTask
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contents import contents_of
from tasks.labelling_project import LabellingProject
from tasks.task_states import change_tasks
from tasks.tombstones import bury

_Row = dict[str, Any]


def settle_outdated(world: World, lease: Lease, home: LabellingProject, todo: Plan) -> Counter[str]:
    """Bring the tasks of media that is missing or changed to rest, and return what was done to how many.

    Unanswered tasks are `withdrawn`: deleted on the server, and created again should their media return. A task some
    have answered is `finished`: handed out no more. Answers about missing media are `kept`, or go with it, as
    `media.missing_answers` of the spec says.
    """
    rows = todo.outdated.to_pylist()
    there = {task.task_id: task for task in world.label_studio.tasks(home.ls_project, [r["task_id"] for r in rows])}
    leaving, finished, counts = [], [], Counter[str]()
    for row in rows:
        task = there.get(row["task_id"])
        is_answered = row["state"] == "answered" or bool(task and task.annotations)
        if not is_answered or (row["is_missing"] and world.spec.media.missing_answers == "withdraw"):
            leaving.append(row)
        elif row["state"] == "open" and task:
            finished.append((row, task))
        counts["kept"] += is_answered and row["is_missing"] and row not in leaving
    _take_back(world, lease, leaving)
    _finish(world, lease, finished)
    return counts + Counter(withdrawn=len(leaving), finished=len(finished))


def _take_back(world: World, lease: Lease, rows: list[_Row]) -> None:
    """Delete tasks on the server; their answers become tombstones, so that consensus forgets them."""
    numbers = {row["task_id"] for row in rows}
    for number in sorted(numbers):
        lease.check()
        world.label_studio.delete_task(number)
    bury(world, lease, numbers, stage="push")
    change_tasks(world, lease, {row["unit_id"]: {"state": "suspended"} for row in rows}, stage="push")


def _finish(world: World, lease: Lease, tasks: list[tuple[_Row, RemoteTask]]) -> None:
    for _, task in tasks:
        lease.check()
        # Or the next edit of an answer would make the server hand it out again.
        world.label_studio.set_overlap(task.task_id, max(1, task.answers))
        lease.check()
        world.label_studio.finish(task.task_id)
    changes = {row["unit_id"]: {"state": "answered"} for row, _ in tasks}
    change_tasks(world, lease, changes, stage="push")


def show_where_it_lies(world: World, lease: Lease, home: LabellingProject, todo: Plan) -> int:
    """Give tasks of moved media its new address, and return how many got one."""
    rows = {row["task_id"]: row for row in todo.readdressed.to_pylist()}
    readdressed = 0
    contents = contents_of(world, rows.values())
    for task in world.label_studio.tasks(home.ls_project, rows):
        data = task_data(world.spec, rows[task.task_id], contents=contents)
        if isinstance(data, str) or set(addresses_in(data)) <= set(task.media):
            continue
        lease.check()
        world.label_studio.change_data(task.task_id, data)
        readdressed += 1
    return readdressed
