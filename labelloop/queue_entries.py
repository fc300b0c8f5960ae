"""The queue of open tasks, as predictions whose score is a task's place: which are stale, and what replaces them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.onboarding import onboarding_first
from labelloop.push import Wanted, pre_filled, prediction
from labelloop.sampling import queue_scores
from labelloop.spec import ProjectSpec


def stale_tasks(
    spec: ProjectSpec, wanted: Wanted, *, unscored: Collection[int], finished: Collection[int], redrawn: bool
) -> pa.Table:
    """Return the open tasks whose prediction has to be replaced: rows of `wanted.live`.

    Args:
        spec: the project; whether it shows predictions may have changed.
        wanted: what the lake wants.
        unscored: tasks that have not the one right prediction on the server.
        finished: tasks that are answered there, though the lake does not know yet; they keep theirs.
        redrawn: the interface changes, so that answers pre-filled for the present one are not its own.
    """
    live = wanted.live
    shown, now = live["prediction_shown"], pre_filled(spec, live["predicted"])
    due = pc.or_(pc.not_equal(live["queue_version"], wanted.version), pc.xor(shown, now))
    due = pc.or_(due, pc.is_in(live["task_id"], pa.array(unscored, pa.int64())))
    due = pc.or_(due, shown) if redrawn else due
    waits = pc.and_not(pc.equal(live["state"], "open"), pc.is_in(live["task_id"], pa.array(finished, pa.int64())))
    return live.filter(pc.and_(due, waits))


def new_predictions(spec: ProjectSpec, stale: pa.Table, version: str) -> dict[str, dict[str, Any]]:
    """Return the prediction of each unit, with the number of its `task`.

    Scores of one queue are made together, to be comparable; a task that has the version already keeps its score.
    """
    same = pc.equal(stale["queue_version"], version)
    moving, staying = stale.filter(pc.invert(same)), stale.filter(same)
    scored = [(moving, _scores(moving, spec.sampling.seed)), (staying, staying["queue_score"].to_numpy())]
    return {
        row["unit_id"]: {
            "task": row["task_id"],
            **prediction(spec, score=float(score), version=version, predicted=row["predicted"]),
        }
        for rows, scores in scored
        for row, score in zip(rows.to_pylist(), scores, strict=True)
    }


def _scores(stale: pa.Table, seed: int) -> NDArray[np.float64]:
    confidence = stale["confidence"].to_numpy().astype(np.float64)
    if np.isnan(confidence).all():
        return np.asarray(stale["queue_score"], dtype=np.float64)
    return onboarding_first(stale, queue_scores(stale, confidence, seed))
