"""Plan and apply: show what Label Studio would have to change, or bring it there, outside of the weekly round."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.parameters import Project
from tasks.plan import plan
from tasks.push import push


@flow(name="plan", validate_parameters=True)
def plan_changes(project: Project, full: bool = False) -> list[dict[str, Any]]:
    """Show what would change in Label Studio, and change nothing.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        full: read every task, not only what changed since the last push.
    """
    return [plan(project, full)]


@flow(name="apply", validate_parameters=True)
def apply_changes(project: Project, full: bool = False) -> list[dict[str, object]]:
    """Bring Label Studio to what spec and lake say.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        full: read every task, not only what changed since the last push.
    """
    return [push(project, full)]
