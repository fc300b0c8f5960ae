"""The frame of every stage: its world, its lease, its log line.

What a stage does stands in the file of its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prefect.logging import get_run_logger

from labelloop.summary import Summary
from tasks import run_log
from tasks.clients.lease import Lease, hold
from tasks.clients.world import World, open_world

run_log.leave_out_tracebacks()


@contextmanager
def stage(project: str, name: str) -> Iterator[tuple[World, Lease]]:
    """Open the project's world and hold the lease of one of its stages during the block."""
    world, log = open_world(project), get_run_logger()
    settings = world.settings
    with hold(
        world.hot,
        f"{project}/{name}",
        seconds=settings.lease_seconds,
        wait_seconds=settings.lease_wait_seconds,
        waiting=log.info,
    ) as lease:
        yield world, lease


def finish(summary: Summary) -> dict[str, object]:
    """Log the summary and return it as the JSON result of the task run."""
    get_run_logger().info(summary.line())
    return summary.model_dump(mode="json")
