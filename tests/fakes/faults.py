"""Faults at a chosen call: clients that count what a run asks of the world outside, and fail or die at one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from labelloop.errors import UnavailableError
from tasks.clients.world import World
from tests.fakes.hot import expire_leases
from tests.fakes.world import copy_of

# First words of the calls that change something, of every client.
_EFFECTS = {"create", "replace", "delete", "append", "upsert", "purge", "write", "abort"}
_EFFECTS |= {"change", "ensure", "import", "set", "reopen", "finish", "save"}
_CLIENTS = ("hot", "vault", "media", "label_studio")


def is_effect(call: str) -> bool:
    """Return whether a call, as `Client.name`, changes something."""
    return call.rpartition(".")[2].partition("_")[0] in _EFFECTS


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Faults:
    """Notes the calls of a run on the world it guards and strikes at one of them, counted from 1.

    Args:
        at: the number of the call, or what says of a number whether it is struck; None only counts.
        after: strike when the call has had its effect, before its answer arrives.
        strike: `kill`, `lose_connection`, or anything done at that moment.
        effects_only: count what changes something, and no lease; otherwise every call.
    """

    def __init__(
        self,
        at: int | Callable[[int], bool] | None = None,
        *,
        after: bool = False,
        strike: Callable[[Faults], None] | None = None,
        effects_only: bool = True,
    ) -> None:
        self._due = at if callable(at) else lambda number: number == at
        self._after, self._strike, self._effects_only = after, strike or kill, effects_only
        self.calls: list[str] = []
        self.dead = False
        self._numbering = threading.Lock()  # some calls are made from several threads

    def guard(self, world: World) -> World:
        """Return the same world, every call counted that goes outside."""
        guarded = World(world.settings, world.spec, world.now, world.new_id, world.wait)
        guarded.row_rules, guarded.keys = world.row_rules, world.keys
        for name in _CLIENTS:
            setattr(guarded, name, _Guarded(getattr(world, name), self))
        guarded.lake = _GuardedLake(world.lake, self)
        return guarded

    def _has_number(self, name: str, given: tuple[Any, ...]) -> bool:
        """Return whether a call has a number: those that keep a lease alive go by a clock of their own."""
        if threading.current_thread().name.startswith("lease "):
            return False
        is_lease = bool(given) and str(given[0]).startswith("leases/")
        return not self._effects_only or (is_effect(name) and not is_lease)

    def call(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        if self.dead:
            raise Killed(name)
        if not self._has_number(name, given):
            return function(*given, **named)
        with self._numbering:
            self.calls.append(name)
            due = self._due(len(self.calls))
        if due and not self._after:
            self._strike(self)
        answer = function(*given, **named)
        if due and self._after:
            self._strike(self)
        return answer


def kill(faults: Faults) -> None:
    """End the run as SIGKILL does: whatever it still tries, as in giving up its leases, has no effect."""
    faults.dead = True
    raise Killed


def lose_connection(_: Faults) -> None:
    """Let the call fail as a client reports a server that does not answer."""
    raise UnavailableError("the server did not answer", remedy="retry later")


def killed_after_each_effect(begun: World, folder: Path, step: Callable[..., Any]) -> Iterator[World]:
    """Yield a copy of the begun world after its step was killed behind effect 1, 2, ... and run again."""
    for at in itertools.count(1):
        world = copy_of(begun, folder / str(at))
        try:
            step(world, Faults(at, after=True))
        except Killed:
            expire_leases(world.hot)
            step(world)
            yield world
        else:
            return


class _Guarded:
    def __init__(self, client: Any, faults: Faults) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found):
            return found

        def guarded(*given: Any, **named: Any) -> Any:
            return self._faults.call(f"{type(self._client).__name__}.{name}", found, *given, **named)

        return guarded


class _GuardedLake:
    def __init__(self, lake: Any, faults: Faults) -> None:
        self._lake, self._faults = lake, faults

    def table(self, *given: Any) -> Any:
        return _Guarded(self._lake.table(*given), self._faults)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lake, name)
