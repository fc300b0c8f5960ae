"""A project whose first round is chosen: references, units and batch are in the lake, nothing is in Label Studio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from labelloop.rounds import Round
from tasks.clients.rounds import begin_round
from tasks.clients.world import World
from tests.builders.digits import START
from tests.builders.rows import hex_id, write
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world

N = 10


def chosen_round(tmp_path: Path, n: int = N, **overrides: Any) -> World:
    """Return a world with n units chosen in round 1, unit 0 first in the queue."""
    world = make_world(tmp_path, label_studio=MemoryLabelStudio(), **overrides)
    choose(world, range(n), number=1)
    return world


def choose(world: World, units: Sequence[int], *, number: int) -> None:
    """Choose a unit of one reference for each number, ready to be pushed in this round."""
    ids = [{"unit_id": hex_id(u), "round": number} for u in units]
    references = [
        {"ref_id": hex_id(u), "bucket": "media", "key": f"digits/{u}/a.png", "media_version": "v1"} for u in units
    ]
    write(world, "references", references)
    write(world, "units", [row | {"ref_ids": [row["unit_id"]], "media_versions": ["v1"]} for row in ids])
    places = [(i + 0.5) / len(units) for i in range(len(units))]
    write(
        world,
        "batches",
        [
            row | {"rank": rank, "queue_score": place, "stratum": "exploit"}
            for rank, (row, place) in enumerate(zip(ids, places, strict=True))
        ],
    )
    record = Round(
        number=number, state="chosen", seed=7, size=len(units), strategy="random", opened_at=START, table_versions={}
    )
    begin_round(world.hot, world.project, record)
