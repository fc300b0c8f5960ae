"""The evening: publish a training set if it changed, retrain, promote on evidence, refresh the queue."""

from __future__ import annotations

from prefect import flow

from flows.parameters import Project
from tasks.erasure.carry_out import erasure
from tasks.export import export
from tasks.push import push
from tasks.retrain import retrain
from tasks.runner import task_runner
from tasks.score import score


@flow(name="retrain-check", validate_parameters=True, task_runner=task_runner())
def retrain_check(project: Project) -> list[dict[str, object]]:
    """Publish the training set, retrain, promote on audit evidence, score with the new model, re-rank open tasks.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
    """
    return [
        erasure(project),
        export(project),
        retrain(project),
        score(project),
        push(project),
    ]
