"""Which tasks Label Studio hands out, and to how many: raised and opened, or finished; several requests at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.in_flight import for_each
from tasks.task_states import change_tasks


def hand_out(world: World, lease: Lease, overlaps: Mapping[int, int], reopen: Collection[int]) -> None:
    """Bring tasks to their overlap, by task number, and hand those out again that are finished too early."""
    _set_overlaps(world, lease, overlaps)
    for_each(lease, reopen, world.label_studio.reopen, "tasks handed out again")


def finish_early(world: World, lease: Lease, rows: Collection[Mapping[str, Any]]) -> None:
    """Hand tasks out no more, whatever their overlap; their answers stay.

    Args:
        world: the project's world.
        lease: checked before each effect.
        rows: `unit_id, task_id, answers` (given so far) of each task.
    """
    # Or the next edit of an answer would make the server hand it out again.
    _set_overlaps(world, lease, {row["task_id"]: max(1, row["answers"]) for row in rows})
    for_each(lease, [row["task_id"] for row in rows], world.label_studio.finish, "tasks finished early")
    change_tasks(world, lease, {row["unit_id"]: {"state": "answered"} for row in rows}, stage="push")


def _set_overlaps(world: World, lease: Lease, overlaps: Mapping[int, int]) -> None:
    for_each(lease, overlaps.items(), lambda item: world.label_studio.set_overlap(*item), "overlaps")
