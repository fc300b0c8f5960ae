"""The night: collect answers and rulings, measure agreement, resolve what can be resolved, ask experts, report."""

from __future__ import annotations

from prefect import flow

from flows.parameters import Project
from tasks.adjudication import adjudication
from tasks.agreement import agreement
from tasks.collect import collect
from tasks.consensus import consensus
from tasks.erasure.carry_out import erasure
from tasks.report import report
from tasks.review import review
from tasks.rulings import rulings


@flow(name="nightly-agreement", validate_parameters=True)
def nightly_agreement(project: Project, full: bool = False) -> list[dict[str, object]]:
    """Collect annotations and rulings, measure agreement, build consensus, adjudicate and review conflicts, report.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        full: measure and decide all anew, also what did not change since last night.
    """
    return [
        erasure(project),
        collect(project),
        rulings(project),
        agreement(project, full),
        consensus(project, full),
        adjudication(project),
        review(project),
        report(project),
    ]
