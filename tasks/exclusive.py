"""Exclusive work on the lake: other runs wait meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from tasks.clients.lease import Lease, hold
from tasks.clients.world import World

_log = logging.getLogger(__name__)
# Stages that write training sets and models; their withdrawal waits for them by itself.
PUBLISHING = ("export", "retrain")
LABELLING = (
    "sync",
    "score",
    "sample",
    "push",
    "collect",
    "rulings",
    "agreement",
    "consensus",
    "adjudication",
    "review",
    "report",
    "feedback",
)


@contextmanager
def erasing(world: World) -> Iterator[Lease]:
    """Be the only run that erases anything in the lake, during the block.

    Raises:
        LeaseHeld: another erasure did not end in time.
    """
    settings = world.settings
    with hold(
        world.hot,
        "erasure",
        seconds=settings.lease_seconds,
        wait_seconds=settings.lease_wait_seconds,
        waiting=_log.info,
    ) as lease:
        yield lease


@contextmanager
def exclusive(worlds: Iterable[World], stages: Collection[str]) -> Iterator[None]:
    """Keep these stages of the projects waiting during the block; call it inside `erasing` only.

    A stage that read the lake before a deletion would write back what was deleted, and a purge removes the files
    of a write that is not committed yet.

    Raises:
        LeaseHeld: a stage did not end in time.
    """
    with ExitStack() as leases:
        for world in worlds:
            settings = world.settings
            for name in stages:
                held = hold(
                    world.hot,
                    f"{world.project}/{name}",
                    seconds=settings.lease_seconds,
                    wait_seconds=settings.lease_wait_seconds,
                    waiting=_log.info,
                )
                leases.enter_context(held)
        yield
