"""Flows of one stage, for schedules and for people who want just that."""

from __future__ import annotations

from prefect import flow

from flows.parameters import LiftReason, Project, SilentMinutes
from tasks.erasure.audit import erasure_audit, erasure_plan
from tasks.erasure.carry_out import erasure
from tasks.erasure.lift import erasure_lift
from tasks.erasure.replay import erasure_replay
from tasks.export import export
from tasks.janitor import janitor
from tasks.purge import purge
from tasks.push import push
from tasks.report import report
from tasks.runner import task_runner
from tasks.score import score
from tasks.sync import sync


@flow(name="sync", validate_parameters=True)
def sync_references(
    project: Project, accept_missing: bool = False, accept_changed: bool = False
) -> list[dict[str, object]]:
    """Honour erasures, then bring the references up to date with the bucket.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        accept_missing: a person has looked: objects missing beyond the spec's limit are really gone.
        accept_changed: a person has looked: objects with other bytes beyond the spec's limit were really replaced.
    """
    return [erasure(project), sync(project, accept_missing, accept_changed)]


@flow(name="erase", validate_parameters=True)
def erase(project: Project) -> list[dict[str, object]]:
    """Carry out every open erasure request and issue receipts.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [erasure(project)]


@flow(name="erase-plan", validate_parameters=True)
def plan_erasures(project: Project) -> list[dict[str, object]]:
    """Count what each open erasure request would reach, and change nothing.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return erasure_plan(project)


@flow(name="erasure-lift", validate_parameters=True)
def lift_erasures(project: Project, request: str, reason: LiftReason, officer: str) -> list[dict[str, object]]:
    """End the suppression of an erasure request, or of all of a document.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        request: opaque id of the request or document.
        reason: mistake or renewed-consent.
        officer: pseudonym of who decides.
    """
    return [erasure_lift(project, request, reason, officer)]


@flow(name="purge", validate_parameters=True)
def purge_tables(project: Project) -> list[dict[str, object]]:
    """Destroy the files and log entries that deleted rows left behind in the lake.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [purge(project)]


@flow(name="erasure-audit", validate_parameters=True)
def audit_erasures(project: Project) -> list[dict[str, object]]:
    """Look whether anything erased has come back, and whether a request is overdue.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [erasure_audit(project)]


@flow(name="erase-replay", validate_parameters=True)
def replay_erasures(project: Project) -> list[dict[str, object]]:
    """Erase again what a restored backup has brought back.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [erasure_replay(project)]


@flow(name="export", validate_parameters=True)
def export_dataset(project: Project) -> list[dict[str, object]]:
    """Honour erasures, then publish the training set if it changed and passes its contract.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [erasure(project), export(project)]


@flow(name="refresh-tasks", validate_parameters=True, task_runner=task_runner())
def refresh_tasks(project: Project) -> list[dict[str, object]]:
    """Score what is new and put Label Studio's open tasks into the order of today's model.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [erasure(project), sync(project), score(project), push(project)]


@flow(name="report", validate_parameters=True)
def write_report(project: Project) -> list[dict[str, object]]:
    """Write the project's report from the lake.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [report(project)]


@flow(name="janitor", validate_parameters=True)
def sweep(silent_minutes: SilentMinutes = 15) -> list[dict[str, object]]:
    """Mark runs as crashed whose process is gone, so that nothing waits for them.

    Args:
        silent_minutes: how long a run may give no sign of life.
    """
    return [janitor(silent_minutes)]
