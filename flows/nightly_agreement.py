"""The night: collect answers, measure agreement, resolve what can be resolved, queue the rest, report."""

from __future__ import annotations

from prefect import flow

from flows.parameters import Project
from tasks.adjudication import adjudication
from tasks.agreement import agreement
from tasks.collect import collect
from tasks.consensus import consensus
from tasks.erasure.carry_out import erasure
from tasks.report import report


@flow(name="nightly-agreement", validate_parameters=True)
def nightly_agreement(project: Project) -> list[dict[str, object]]:
    """Collect annotations, measure agreement with intervals, build consensus, adjudicate conflicts, report.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [
        erasure(project),
        collect(project),
        agreement(project),
        consensus(project),
        adjudication(project),
        report(project),
    ]
