"""The weekly batch: what is new, what must be forgotten, what is most worth labelling, before annotators."""

from __future__ import annotations

from prefect import flow

from flows.parameters import BatchOptions, Project
from tasks.erasure.carry_out import erasure
from tasks.feedback import feedback
from tasks.push import push
from tasks.runner import task_runner
from tasks.sample import sample
from tasks.score import score
from tasks.sync import sync

_DEFAULT = BatchOptions()


@flow(name="weekly-batch", validate_parameters=True, task_runner=task_runner())
def weekly_batch(project: Project, options: BatchOptions = _DEFAULT) -> list[dict[str, object]]:
    """Honour erasures, sync references, score them, choose a batch, put it into Label Studio, write feedback.

    Args:
        project: labelling project, named as its file of deployments/projects without the ending.
        options: how this run alone deviates from the spec.
    """
    return [
        erasure(project),
        sync(project),
        score(project),
        sample(project, options.model_dump()),
        push(project),
        feedback(project),
    ]
