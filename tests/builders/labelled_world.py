"""A world in memory that holds labelled units."""

from __future__ import annotations

from typing import Any

from labelloop.rounds import Round
from labelloop.summary import Summary
from tasks.clients.rounds import begin_round
from tasks.clients.world import World
from tasks.export import publish_dataset
from tests.builders.digits import START
from tests.builders.labelled_units import N, figure, tables
from tests.builders.rows import write
from tests.fakes.world import under_lease


def fill(world: World, n: int = N, **changes: Any) -> None:
    """Write the tables of labelled units into the lake; see `tables`."""
    for name, rows in tables(n, **changes).items():
        world.table(name).upsert(rows, fence=lambda: None)


def labelled_world(world: World, n: int = N, **changes: Any) -> World:
    """Fill a world with labelled units of one closed round on which annotators agree."""
    fill(world, n, **changes)
    write(world, "agreement", [figure(0.8, 0.7, 0.9)])
    record = Round(number=1, state="closed", seed=1, size=n, strategy="random", opened_at=START)
    begin_round(world.hot, world.project, record)
    return world


def publish(world: World) -> Summary:
    """Run the export stage."""
    return under_lease(world, "export", publish_dataset)
