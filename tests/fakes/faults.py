"""Dying at a chosen effect: clients that count what they change outside and are killed before or after one effect."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasks.clients.world import World
from tests.fakes.world import copy_of

# First words of the calls that change something, of every client.
_EFFECTS = {"create", "replace", "delete", "append", "upsert", "purge", "write"}
_EFFECTS |= {"change", "ensure", "import", "set", "reopen"}
_CLIENTS = ("hot", "vault", "media", "label_studio")


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Faults:
    """Notes the effects of a run on the world it guards and ends the run at one of them, counted from 1."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.at, self.after = at, after
        self.effects: list[str] = []

    def guard(self, world: World) -> World:
        """Return the same world, every effect outside counted."""
        guarded = World(world.settings, world.spec, world.now, world.new_id)
        guarded.row_rules, guarded.keys = world.row_rules, world.keys
        for name in _CLIENTS:
            setattr(guarded, name, _Guarded(getattr(world, name), self))
        guarded.lake = _GuardedLake(world.lake, self)
        return guarded

    def call(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.effects.append(name)
        due = len(self.effects) == self.at
        if due and not self.after:
            raise Killed(name)
        answer = function(*given, **named)
        if due:
            raise Killed(name)
        return answer


def killed_after_each_effect(begun: World, folder: Path, step: Callable[..., Any]) -> Iterator[World]:
    """Yield a copy of the begun world after its step was killed behind effect 1, 2, ... and run again."""
    for at in itertools.count(1):
        world = copy_of(begun, folder / str(at))
        try:
            step(world, Faults(at, after=True))
        except Killed:
            step(world)
            yield world
        else:
            return


class _Guarded:
    def __init__(self, client: Any, faults: Faults) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.partition("_")[0] not in _EFFECTS:
            return found

        def effect(*given: Any, **named: Any) -> Any:
            # Leases are renewed by a clock of their own: counting them would make the numbers meaningless.
            if given and str(given[0]).startswith("leases/"):
                return found(*given, **named)
            return self._faults.call(f"{type(self._client).__name__}.{name}", found, *given, **named)

        return effect


class _GuardedLake:
    def __init__(self, lake: Any, faults: Faults) -> None:
        self._lake, self._faults = lake, faults

    def table(self, *given: Any) -> Any:
        return _Guarded(self._lake.table(*given), self._faults)
