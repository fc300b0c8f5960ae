"""One erasure in a process of its own that a proxy can kill; preloaded by a fork server."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

import boto3
import label_studio_sdk  # noqa: F401 - imported once for all children

from labelloop.errors import LabelloopError
from tasks.clients.world import open_world
from tasks.erasure.carry_out import carry_out_requests
from tests.e2e.fault_runs import REFUSED
from tests.fakes.expectations import ArrowRowRules

boto3.client("s3", region_name="any")  # reads its descriptions of services once for all children


def run(environment: Mapping[str, str], project: str) -> None:
    """Carry out what is open."""
    os.environ.update(environment)
    world = replace(open_world(project))
    world.row_rules = ArrowRowRules()  # the real judge takes seconds to import
    try:
        carry_out_requests(world)
    except LabelloopError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.exit(REFUSED)
