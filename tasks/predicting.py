"""Predictions part by part: a range of references is read, or put to the model, by itself and anywhere.

A part only reads and returns, so that a worker that dies leaves nothing half done; the stage, which holds the lease,
writes. So memory stays bounded, and a killed run repeats no more than what was on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from prefect import task

from tasks.artifacts import Progress, progress
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World, open_world
from tasks.contracts import commit
from tasks.features import read_features, unspoken
from tasks.media_scoring import ask_about_media
from tasks.models import refuse_if_none
from tasks.parts import Predicted, Range, ranges_of
from tasks.policies import OUTSIDE
from tasks.vector_scoring import ask_about_vectors

Predict = Callable[[World, Range, Callable[[int], None]], Predicted]

PREDICT: Final[Mapping[str, Predict]] = MappingProxyType(
    {"features": read_features, "media": ask_about_media, "vectors": ask_about_vectors}
)


class Job(NamedTuple):
    """One range of references, and by which entry of `PREDICT` something is predicted of them."""

    by: str
    within: Range


Across = Callable[[Sequence[Job]], Iterable[Predicted]]


@task(name="predict", description="Read one range of references, or ask the model about it", **OUTSIDE)
def predict(project: str, job: Job) -> Predicted:
    """Return what is predicted of one range; it is kept in memory alone, never as a stored result."""
    return PREDICT[job.by](open_world(project), job.within, lambda _: None)


def predict_missing(
    world: World, lease: Lease, by: str, *, version: str, rows: int, across: Across | None
) -> Counter[str]:
    """Write what this version has not predicted yet.

    Args:
        world: the project's outside.
        lease: held on (project, score).
        by: an entry of `PREDICT`.
        version: of model or features.
        rows: references in one part, which is one commit.
        across: who works on the parts; by default they are done here, one after the other, as a single one always is.

    Returns:
        How many references were `scored`, how many answers `refused`, and how much media `unreadable` or `gone`.

    Raises:
        InputError: there are answers of a model, and not one of them is a probability.
    """
    counts, answered = Counter(scored=0, refused=0, unreadable=0, gone=0), 0
    todo = unspoken(world, version)
    jobs = [Job(by, within) for within in ranges_of(todo["ref_id"], rows)]
    with progress(todo.num_rows, f"scoring: {by}") as bar:
        for part in _parts(world, jobs, across, bar):
            answered += part.answered
            refuse_if_none(answered, part.refused)
            quarantine(world, lease, part.unreadable + part.refused, stage="score")
            unwritten = commit(world, lease, "predictions", part.rows, stage="score")
            counts.update(scored=part.answered - unwritten, refused=len(part.refused) + unwritten)
            counts.update(unreadable=len(part.unreadable), gone=part.gone)
    return counts


def _parts(world: World, jobs: Sequence[Job], across: Across | None, bar: Progress) -> Iterator[Predicted]:
    if across is None or len(jobs) == 1:
        yield from (PREDICT[job.by](world, job.within, bar.advance) for job in jobs)
        return
    for part in across(jobs):
        bar.advance(part.asked)
        yield part
