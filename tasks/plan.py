"""Plan: what a push would change in Label Studio, in counts and opaque ids, without doing any of it."""

from __future__ import annotations

from typing import Any

from prefect import task
from prefect.logging import get_run_logger

from tasks.clients.world import open_world
from tasks.survey_review import survey_with_review


@task(name="plan")
def plan(project: str, full: bool = False) -> dict[str, Any]:
    """Return what would change, as JSON values; see `labelloop.changes.Changes`."""
    changes = survey_with_review(open_world(project), full=full)
    get_run_logger().info("plan: %d kinds of change", len(changes.rows()))
    return {"stage": "plan", "project": project, **changes.to_dict()}
