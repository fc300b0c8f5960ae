"""Tombstones: answers to tasks that are no longer on the server keep their identity and lose their content."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.collect import tombstones
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit


def bury(world: World, lease: Lease, task_ids: Collection[int], *, stage: str) -> int:
    """Turn every answer to these tasks into a tombstone, in one commit, and return how many were turned."""
    gone = tombstones(answers_to(world, task_ids), seen=()) if task_ids else []
    if gone:
        schema = world.table("annotations").contract.schema
        commit(world, lease, "annotations", pa.Table.from_pylist(gone, schema), stage=stage)
    return len(gone)


def answers_to(world: World, task_ids: Collection[int]) -> pa.Table:
    """Return the rows of `annotations` that answer these tasks."""
    return world.table("annotations").read(where=pc.field("task_id").isin(pa.array(sorted(task_ids), pa.int64())))
