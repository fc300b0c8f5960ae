"""Which faults a run on real servers is to meet, and which of them it meets together.

A request is known by what it asks and by how often that was asked before: numbers shift whenever a client asks again.

A kill leaves behind what was changed before it and nothing else: the servers are the same at whichever read between
two changes it comes. So runs are killed before and behind each change; the kill before one stands for the reads since
the last. A read that never arrives and one whose answer is lost are one broken connection to the client and no change
to the server: each read is lost once, each change both ways. A kill has a run of its own. What is lost is asked for
again, so one run meets several such faults, no two of a kind or close to each other; those behind a fault that ended
the run wait for another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_VARIES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8,}|[0-9]+")
REFUSED = 3  # the exit code of a run that gave up with an error of ours
_APART = 12  # requests between two faults of one run; a client asks four more times at most


class Fault(NamedTuple):
    """What happens to the n-th request of a kind, which was request number `at` of an undisturbed run."""

    way: str
    at: int
    kind: str
    nth: int

    def __str__(self) -> str:
        return f"{self.way} {self.at}"

    @property
    def is_kill(self) -> bool:
        """Whether it ends the run."""
        return self.way.startswith("kill")


class Strikes:
    """The plan of a `Traffic`: the faults due in one run, and those it has met."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Wait for these requests."""
        self.met: list[Fault] = []
        self._due = {(fault.kind, fault.nth): fault for fault in faults}
        self._seen: Counter[str] = Counter()

    def __call__(self, _number: int, request: str) -> str | None:
        kind = kind_of(request)
        self._seen[kind] += 1
        fault = self._due.get((kind, self._seen[kind]))
        if fault is None:
            return None
        self.met.append(fault)
        return fault.way


def kind_of(request: str) -> str:
    """Return what a request asks, without what differs from run to run.

    >>> kind_of("S3 GET /lake-0123abcd/references/_delta_log/00000000000000000012.json")
    'S3 GET /lake-#/references/_delta_log/#.json'
    """
    server, _, asked = request.partition(" ")
    return f"{server} {_VARIES.sub('#', asked)}"


def changes(request: str) -> bool:
    """Return whether a request may change something on its server."""
    return request.split(" ")[1] not in ("GET", "HEAD")


def every_fault(requests: Sequence[str]) -> list[Fault]:
    """Return all faults that an undisturbed run of these requests can be told apart by, in their order."""
    seen: Counter[str] = Counter()
    found = []
    for at, request in enumerate(requests, 1):
        kind = kind_of(request)
        seen[kind] += 1
        ways = ("kill before", "kill after", "lost", "unanswered") if changes(request) else ("lost",)
        found += [Fault(way, at, kind, seen[kind]) for way in ways]
    return found


def together(waiting: Sequence[Fault]) -> list[Fault]:
    """Return the faults that the next run is to meet: the first, and as many of those that are lost as go with it."""
    found = [waiting[0]]
    for fault in waiting[1:]:
        alone = found[0].is_kill or fault.is_kill
        apart = fault.at - found[-1].at >= _APART and fault.kind not in {one.kind for one in found}
        if apart and not alone:
            found.append(fault)
    return found
