"""How many opinions the chosen units of a project get at first, read from its lake."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from labelloop.redundancy import first_overlaps
from tasks.clients.world import World


def firsts_of(world: World) -> pa.Table:
    """Return `unit_id, round, strategy, first` of every chosen unit."""
    batches = world.table("batches").read(columns=["unit_id", "round", "stratum", "strategy", "queue_score"])
    return first_overlaps(world.spec, batches)


def first_by_unit(world: World) -> Mapping[str, int]:
    """Return the first number of opinions of each chosen unit."""
    firsts = firsts_of(world)
    return dict(zip(firsts["unit_id"].to_pylist(), firsts["first"].to_pylist(), strict=True))
