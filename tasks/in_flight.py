"""Requests about one task of Label Studio each, several under way at a time: the server takes none about many."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from tasks.artifacts import progress
from tasks.clients.lease import Lease

_AT_ONCE: Final = 4  # beyond, the server takes no more of them a second
T = TypeVar("T")


def for_each(
    lease: Lease, items: Collection[T], act: Callable[[T], None], told: str, *, at_once: int = _AT_ONCE
) -> None:
    """Act on each item under the lease, some at a time, and tell how far; the first failure ends it.

    Args:
        lease: checked before each.
        items: what to act on.
        act: the request about one.
        told: what is counted, for people.
        at_once: how many are under way; 1 for what makes Label Studio count its project anew, which on SQLite fails,
            or miscounts, beside another.
    """

    def leased(item: T) -> None:
        lease.check()
        act(item)

    with progress(len(items), told) as bar, ThreadPoolExecutor(at_once) as pool:
        for _ in pool.map(leased, items):
            bar.advance()
