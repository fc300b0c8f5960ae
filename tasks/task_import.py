"""Importing tasks in bounded batches, with back-off; nothing is imported again without looking whether it arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labelloop.errors import UnavailableError
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.world import World

_BATCH = 1_000  # tasks in one request: about two seconds of the server's time
_LEAST = 50
_WAITS = (2.0, 8.0, 30.0)  # seconds before looking and trying again; a restart takes Label Studio 16 to 30


def import_tasks(
    world: World, lease: Lease, ls_project: int, tasks: Mapping[str, dict[str, Any]], *, newest: int
) -> dict[str, int]:
    """Import the tasks of units and return their numbers on the server.

    A server that fails is left alone for a while, then given half as much at a time.

    Args:
        world: the project's world.
        lease: checked before each request.
        ls_project: number of the project.
        tasks: by unit, as Label Studio takes them.
        newest: number of the newest task that was there before.

    Raises:
        UnavailableError: it failed over and over; what has arrived is found by the next survey.
    """
    left, numbers, size, failures, is_unsure = list(tasks), dict[str, int](), _BATCH, 0, False
    with progress(len(tasks), "tasks to Label Studio") as bar:
        while left:
            try:
                if is_unsure:
                    numbers |= _arrived(world, ls_project, {unit: tasks[unit] for unit in left}, newest)
                else:
                    numbers |= _imported(world, lease, ls_project, tasks, left[:size])
                    failures = 0
                is_unsure = False
            except UnavailableError:
                if failures == len(_WAITS):
                    raise
                world.wait(_WAITS[failures])
                failures, size, is_unsure = failures + 1, max(_LEAST, size // 2), True
            bar.advance(sum(unit in numbers for unit in left))
            left = [unit for unit in left if unit not in numbers]
    return numbers


def _imported(
    world: World, lease: Lease, ls_project: int, tasks: Mapping[str, dict[str, Any]], units: Sequence[str]
) -> dict[str, int]:
    lease.check()
    given = world.label_studio.import_tasks(ls_project, [tasks[unit] for unit in units])
    return dict(zip(units, given, strict=True))


def _arrived(world: World, ls_project: int, tasks: Mapping[str, dict[str, Any]], newest: int) -> dict[str, int]:
    """Return which of these units have their task after all, of several the oldest.

    A task with another version's prediction was sent by an overtaken run; the next survey takes it back.
    """
    versions = {unit: task["predictions"][0]["model_version"] for unit, task in tasks.items()}
    found = world.label_studio.tasks_after(ls_project, newest)
    return {task.unit_id: task.task_id for task in reversed(found) if versions.get(task.unit_id) == task.versions}
