"""Adopting a project, once, by hand: no deployment, `labelloop adopt` runs it."""

from __future__ import annotations

from prefect import flow

from flows.parameters import Project
from tasks.adopt import adopt
from tasks.erasure.carry_out import erasure
from tasks.sync import sync


@flow(name="adopt", validate_parameters=True)
def adopt_project(project: Project, ls_project: int) -> list[dict[str, object]]:
    """Honour erasures, sync references, then take over the tasks of a project in Label Studio.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        ls_project: number of the project in Label Studio.
    """
    return [erasure(project), sync(project), adopt(project, ls_project)]
