"""People at work on a pushed round, and the stages around them, for tests on the world in memory."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from tasks.clients.label_studio import Annotator
from tasks.clients.world import World
from tasks.collect import collect_annotations
from tasks.push import push_round
from tests.builders.chosen_round import chosen_round
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id
from tests.fakes.faults import Faults
from tests.fakes.world import under_lease

_KEYS = map(str, count())


def push(world: World, faults: Faults | None = None) -> dict[str, int]:
    return under_lease(faults.guard(world) if faults else world, "push", push_round).counts


def collect(world: World, faults: Faults | None = None) -> dict[str, int]:
    return under_lease(faults.guard(world) if faults else world, "collect", collect_annotations).counts


def pushed(tmp_path: Path, n: int = 4, **overrides: Any) -> World:
    world = chosen_round(tmp_path, n=n, **overrides)
    push(world)
    return world


def the_project(world: World) -> int:
    return world.hot.get("label-studio/digits.json").value["ls_project"]


def task_of(world: World, unit: int) -> int:
    (number,) = [n for n, t in world.label_studio.all_tasks.items() if t["data"]["unit"] == hex_id(unit)]
    return number


def person(world: World, name: str) -> Annotator:
    return world.label_studio.annotator(f"{name}@labelloop.test", "x")


def choice(value: str) -> list[dict]:
    return [{"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": [value]}}]


def answer(world: World, unit: int, name: str = "ann", value: str = "1", result: list | None = None) -> int | None:
    given = choice(value) if result is None else result
    return person(world, name).submit(task_of(world, unit), given, lead_time=2.5, key=next(_KEYS))


def states(world: World) -> list[str]:
    return world.table("tasks").read().sort_by("unit_id")["state"].to_pylist()


def at_odds(tmp_path: Path) -> World:
    """A world whose two annotators agree no further than chance has it."""
    world = pushed(tmp_path, n=6, spec=SPEC.replace("share: 0.2,", "share: 1.0,", 1))
    for unit in range(6):
        answer(world, unit, "ann", str(unit % 3))
        answer(world, unit, "bob", str((unit + 1) % 3))
    collect(world)
    return world
