"""What annotators and model can carry: how large the next batch may be, from what the lake knows of them.

The limits are weighed in `labelloop.sampling.backpressure`.
"""

from __future__ import annotations

from datetime import timedelta

import pyarrow.compute as pc

from labelloop.sampling import Backpressure, backpressure, throughput
from tasks.clients.world import World


def allowed(world: World, wanted: int | None) -> Backpressure:
    """Return how many references the next batch may have, and why.

    Args:
        world: the project's outside.
        wanted: the size asked for; None for that of the spec.
    """
    spec = world.spec.sampling
    tasks = world.table("tasks").read(columns=["state", "pushed_at"])
    answers = world.table("annotations").read(columns=["task_id", "state", "created_at"])
    active = answers.filter(pc.equal(answers["state"], "active")).group_by("task_id")
    answered_at = active.aggregate([("created_at", "min")])["created_at_min"]
    return backpressure(
        spec.batch_size if wanted is None else wanted,
        pc.sum(pc.equal(tasks["state"], "open")).as_py() or 0,
        spec.max_open_tasks,
        throughput=throughput(tasks["pushed_at"], answered_at, world.now()),
        backlog_days=spec.backlog_days,
        score_age=_score_age(world),
        score_days=spec.score_days,
    )


def _score_age(world: World) -> float | None:
    """Return the days since the newest model version that scored anything spoke first."""
    said = world.table("predictions").read(columns=["model_version", "confidence", "created_at"])
    said = said.filter(pc.is_valid(said["confidence"]))
    first = said.group_by("model_version").aggregate([("created_at", "min")])["created_at_min"]
    newest = pc.max(first).as_py()
    return None if newest is None else (world.now() - newest) / timedelta(days=1)
