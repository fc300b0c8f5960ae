"""The verb `alarm`: who is called when agreement is low."""

from __future__ import annotations

import sys

from labelloop.errors import ConfigurationError
from tasks.clients.settings import load_settings


def alarm() -> None:
    """Have the Prefect server call people whenever a night measures agreement below the alarm of a spec.

    They are called through the notification block that LABELLOOP_NOTIFICATION_BLOCK names; type it again after
    naming another.
    """
    from deployments.alarm import call_people

    block = load_settings().notification_block
    if block is None:
        raise ConfigurationError(
            "no notification block is named", remedy="set LABELLOOP_NOTIFICATION_BLOCK=TYPE/NAME, see docs/runbook.md"
        )
    call_people(block)
    sys.stdout.write(f"low agreement of any project is told through {block}\n")
