"""Worlds to erase in, erasure requests, and a look at everything an erasure may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labelloop.contracts import all_contracts
from labelloop.erasure.decisions import received
from labelloop.erasure.request import Identifiers
from tasks.clients.erasures import Erasures
from tasks.clients.world import World
from tests.builders.labelled_project import labelled_project
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world

# Minted anew or derived from what is; a rerun may mint another.
_FREE = {"receipt_id", "digest", "signature", "payload"}


def erasable_world(folder: Path, **overrides: Any) -> World:
    """Return a world whose specs would lie in the folder, with a Label Studio; nobody in it waits for a lease."""
    settings = {"projects_dir": folder, "lease_wait_seconds": 0}
    return make_world(folder, settings=settings, label_studio=MemoryLabelStudio(), **overrides)


def erasable_project(folder: Path, **overrides: Any) -> World:
    """Return such a world with a labelled project, whose names are its attribute `labelled`."""
    world = erasable_world(folder, **overrides)
    world.labelled = labelled_project(world)
    return world


def ask(world: World, **named: Any) -> str:
    """Record a request and return its id."""
    wanted = Identifiers.model_validate({"verification": "passport seen", **named})
    request = received(wanted, request_id=world.new_id(), project=world.project, now=world.now())
    Erasures(world.hot, world.vault).add(request, wanted)
    return request.request_id


def state_of(world: World) -> dict[str, Any]:
    """Return everything outside that an erasure may change, without what is random."""
    tables = [rules.name for rules in all_contracts() if rules.name != "training_set"]
    found: dict[str, Any] = {name: _rows(world, name) for name in tables}
    bucket = world.spec.media.bucket
    found["media"] = {key: len(world.media.versions(bucket, key)) for key in world.media.keys_ever(bucket)}
    found["published"] = world.published.list("")
    found["hot"] = {key: world.hot.get(key).value for key in world.hot.keys("") if not key.startswith("leases/")}
    found["vault"] = world.vault.keys("")
    return found


def _rows(world: World, name: str) -> list[str]:
    rows = world.table(name).read().to_pylist()
    return sorted(str({column: value for column, value in row.items() if column not in _FREE}) for row in rows)
