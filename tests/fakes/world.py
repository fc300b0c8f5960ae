"""A whole world in memory, its lake too unless a test is about files; fixed clock, seeded ids."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from labelloop.spec import ProjectSpec, load_spec
from tasks.clients.lake import Lake
from tasks.clients.lease import Lease, try_acquire
from tasks.clients.world import World
from tests.builders.digits import SPEC, START
from tests.builders.settings import make_settings
from tests.fakes.expectations import ArrowRowRules
from tests.fakes.hot import MappedHotState
from tests.fakes.lake import MemoryLake
from tests.fakes.media import MemoryMediaStore

_CHANGING = {"now", "new_id", "hot", "vault", "media", "label_studio", "lake"}


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


class SeededIds:
    """The same ids in each run."""

    def __init__(self, seed: int = 0) -> None:
        self._numbers = random.Random(seed)

    def __call__(self) -> str:
        return f"{self._numbers.getrandbits(128):032x}"


def make_world(tmp_path: Path, spec: ProjectSpec | str = SPEC, *, on_disk: bool = False, **overrides: Any) -> World:
    """Return a world for one project; `overrides` replace settings (a dict), clock, ids or any client by name.

    The lake is the one in memory, or Delta tables in the folder (`on_disk`), which take ten times as long.
    """
    settings = make_settings(**overrides.pop("settings", {}))
    described = load_spec(spec) if isinstance(spec, str) else spec
    world = World(settings, described, overrides.pop("now", Clock()), overrides.pop("new_id", SeededIds()))
    world.wait = lambda _: None
    world.lake = Lake(str(tmp_path / "lake")) if on_disk else MemoryLake()
    world.hot, world.vault, world.row_rules = MappedHotState(), MappedHotState(), ArrowRowRules()
    media = MemoryMediaStore()
    for bucket, versioned in ((described.media.bucket, True), ("lake", False), ("vault", False)):
        media.make_bucket(bucket, versioned=versioned)
    world.media = media
    for name, client in overrides.items():
        setattr(world, name, client)
    return world


def copy_of(world: World, folder: Path | None = None) -> World:
    """Return another world in the same state, to try the same step again; a lake of files needs a folder."""
    other = copy.copy(world)
    other.__dict__.pop("published", None)  # it holds the store of the first
    for name in _CHANGING & vars(world).keys():
        setattr(other, name, copy.deepcopy(getattr(world, name)))
    if folder is not None and isinstance(world.lake, Lake):
        shutil.copytree(world.lake.uri, folder / "lake")
        other.lake = Lake(str(folder / "lake"))
    return other


def lease_of(world: World, stage: str = "test") -> Lease:
    """Return a lease of the world's project, as a stage holds it."""
    return try_acquire(world.hot, f"{world.project}/{stage}", seconds=3600)


def under_lease(world: World, stage: str, step: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """Return what the step answers when it is given the world and a lease, as a stage does it."""
    lease = lease_of(world, stage)
    try:
        return step(world, lease, *given, **named)
    finally:
        lease.release()
