"""Dying at a chosen effect: clients that count what they change outside and are killed before or after one effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tasks.clients.world import World

# First words of the calls that change something, of every client.
_EFFECTS = {"create", "replace", "delete", "append", "upsert", "change", "ensure", "import", "set", "reopen"}


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Faults:
    """Counts the effects of a run on the world it guards and ends the run at one of them."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self.at, self.after, self.calls = at, after, 0

    def guard(self, world: World) -> World:
        """Return the same world, every effect on Label Studio, hot state and the lake counted."""
        guarded = World(world.settings, world.spec, world.now, world.new_id)
        for name in ("hot", "vault", "media", "row_rules", "keys"):
            setattr(guarded, name, getattr(world, name))
        guarded.label_studio = _Guarded(world.label_studio, self)
        guarded.hot = _Guarded(world.hot, self)
        guarded.lake = _GuardedLake(world.lake, self)
        return guarded

    def call(self, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.calls += 1
        due = self.calls == self.at
        if due and not self.after:
            raise Killed
        answer = function(*given, **named)
        if due:
            raise Killed
        return answer


class _Guarded:
    def __init__(self, client: Any, faults: Faults) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name.partition("_")[0] not in _EFFECTS:
            return found
        return lambda *given, **named: self._faults.call(found, *given, **named)


class _GuardedLake:
    def __init__(self, lake: Any, faults: Faults) -> None:
        self._lake, self._faults = lake, faults

    def table(self, *given: Any) -> Any:
        return _Guarded(self._lake.table(*given), self._faults)
