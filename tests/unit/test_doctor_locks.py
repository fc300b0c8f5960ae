"""What the doctor says of locks, which Label Studio does not tell."""

from __future__ import annotations

import pytest

from deployments.doctor.installation import Installation
from deployments.local.label_studio_server import LOCK_SECONDS
from labelloop.errors import ConfigurationError
from tests.builders.settings import make_settings


def told(**settings: int) -> str:
    here = Installation()
    here.settings = make_settings(**settings)
    return here.release_locks()


def test_a_day_is_too_long_for_a_task_that_somebody_left():
    with pytest.raises(ConfigurationError, match="24 hours"):
        told()


def test_the_local_stack_gives_it_to_others_after_an_hour():
    assert told(label_studio_lock_seconds=LOCK_SECONDS) == "after 60 minutes"
