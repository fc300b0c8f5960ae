"""Rows of the `tasks` table: new ones, and changes to those that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit

Row = dict[str, Any]


def add_tasks(world: World, lease: Lease, rows: Sequence[Row], *, stage: str) -> None:
    """Write rows of new tasks in one commit; the times are filled in here."""
    now = world.now()
    timed = [{**row, "pushed_at": now, "updated_at": now} for row in rows]
    commit(world, lease, "tasks", pa.Table.from_pylist(timed, schema=_schema(world)), stage=stage)


def change_tasks(world: World, lease: Lease, changes: Mapping[str, Row], *, stage: str) -> None:
    """Change columns of the tasks of some units in one commit; units without a task are left out.

    Args:
        world: the project's world.
        lease: checked before the commit.
        changes: unit id to the columns that change; rows that say so already are not written.
        stage: who writes.
    """
    if not changes:
        return
    tasks = world.table("tasks").read()
    present = tasks.filter(pc.is_in(tasks["unit_id"], pa.array(list(changes), pa.string()))).to_pylist()
    changed = [
        {**row, **changes[row["unit_id"]], "updated_at": world.now()}
        for row in present
        if {**row, **changes[row["unit_id"]]} != row
    ]
    commit(world, lease, "tasks", pa.Table.from_pylist(changed, schema=_schema(world)), stage=stage)


def _schema(world: World) -> pa.Schema:
    return world.table("tasks").contract.schema
