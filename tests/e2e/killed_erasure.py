"""One erasure in a process of its own that a proxy can kill; preloaded by a fork server."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from labelloop.errors import LabelloopError
from tasks.clients.world import open_world
from tasks.erasure.carry_out import carry_out_requests
from tests.fakes.expectations import ArrowRowRules


def run(environment: Mapping[str, str], project: str) -> None:
    """Carry out what is open; exit code 1 if a server did not answer."""
    os.environ.update(environment)
    world = replace(open_world(project))
    world.row_rules = ArrowRowRules()  # the real judge takes seconds to import
    try:
        carry_out_requests(world)
    except LabelloopError as error:
        sys.exit(f"{type(error).__name__}: {error}")
