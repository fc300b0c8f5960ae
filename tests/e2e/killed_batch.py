"""The weekly batch in a process of its own that can be killed where a test wants it; preloaded by a fork server."""

from __future__ import annotations

import os
import random
import signal
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import boto3
import great_expectations  # noqa: F401 - imported once for all children
import label_studio_sdk  # noqa: F401 - imported once for all children
import prefect  # noqa: F401 - imported once for all children

import flows.weekly_batch
import tasks.stage
from tasks.clients.hot import update
from tasks.clients.lease import Lease, hold
from tasks.clients.world import World, open_world

boto3.client("s3", region_name="any")  # reads its descriptions of services once for all children


def run(environment: Mapping[str, str], project: str, killed_after: str | None) -> None:
    """Run the weekly batch; kill this process when the named stage has had its effects but still holds its lease."""
    os.environ.update(environment)
    # Drawn from one seed, the identities that lakes give their server would be the same, and so their project there.
    own = {"server": uuid.uuid4().hex, "ls_project": None}
    update(open_world(project).hot, f"label-studio/{project}.json", lambda present: present or own)
    ids = random.Random(1)

    def seeded(name: str) -> World:
        return replace(open_world(name), new_id=lambda: f"{ids.getrandbits(128):032x}")

    @contextmanager
    def lethal(hot: object, name: str, **limits: object) -> Iterator[Lease]:
        with hold(hot, name, **limits) as lease:
            yield lease
            if name == f"{project}/{killed_after}":
                os.kill(os.getpid(), signal.SIGKILL)

    tasks.stage.open_world, tasks.stage.hold = seeded, lethal
    flows.weekly_batch.weekly_batch(project)
