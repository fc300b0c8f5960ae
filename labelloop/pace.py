"""Pace: what people did on each of the last days, how long it took them, and what still waits for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.annotators.work import idle_cap
from labelloop.sampling.backpressure import WINDOW
from labelloop.sql import session

FloatArray = NDArray[np.float64]

# One annotation answers several questions in one sitting; what experts answer empties no queue of annotators.
_ANSWERS = """
SELECT unit_id, min(created_at) AS answered_at, max(lead_time) AS seconds,
       unit_id IN (SELECT unit_id FROM batches WHERE round = (SELECT max(round) FROM batches)) AS of_round
FROM annotations WHERE state = 'active' AND opinion_reason <> 'review'
GROUP BY unit_id, annotation_id ORDER BY unit_id, annotation_id
"""
_OPEN = """
SELECT coalesce(sum(greatest(t.overlap - coalesce(given.n, 0), 0)), 0)
FROM tasks t LEFT JOIN (SELECT unit_id, count(*) AS n FROM answers GROUP BY unit_id) given USING (unit_id)
WHERE t.state = 'open'
"""


class Pace(NamedTuple):
    """What was done, and what is left to do.

    `answers`, `hours`: (days,) of each of the last whole days, today's first. `hours_each`: what an answer takes on
    average. `hours_of_round`: what the newest round took so far. `missing`: opinions that open tasks still wait for.
    `seconds`: (n,) of each answer that was timed, idle time cut.
    """

    answers: FloatArray
    hours: FloatArray
    hours_each: float
    hours_of_round: float
    missing: int
    seconds: FloatArray


def pace_of(tables: Mapping[str, pa.Table], at: datetime, *, expected: float) -> Pace:
    """The pace of the last 28 days, or since the first task was pushed, if that is less.

    Args:
        tables: rows of the contracts `tasks, annotations, batches`.
        at: the present.
        expected: seconds of an answer while none was timed.
    """
    answers, missing = _counted(tables)
    first = pc.min(tables["tasks"]["pushed_at"]).as_py()
    days = 0 if first is None else min(at - first, WINDOW) // timedelta(days=1)
    now = np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")
    ago = (now - answers["answered_at"].to_numpy()) // np.timedelta64(1, "D")
    seconds, counts = _without_idle(answers["seconds"]), (ago >= 0) & (ago < days)
    hours = _hours(seconds, expected)
    return Pace(
        answers=np.bincount(ago[counts], minlength=days).astype(np.float64),
        hours=np.bincount(ago[counts], weights=hours[counts], minlength=days).astype(np.float64),
        hours_each=float(hours.mean()) if len(hours) else expected / 3600.0,
        hours_of_round=float(hours[answers["of_round"].to_numpy()].sum()),
        missing=missing,
        seconds=seconds[~np.isnan(seconds)],
    )


def _counted(tables: Mapping[str, pa.Table]) -> tuple[pa.Table, int]:
    """Return the answers given, and how many the open tasks miss."""
    with session() as db:
        for name in ("tasks", "annotations", "batches"):
            db.register(name, tables[name])
        answers = db.sql(_ANSWERS).to_arrow_table()
        db.register("answers", answers)
        return answers, int(db.sql(_OPEN).fetchall()[0][0])


def _without_idle(times: pa.ChunkedArray) -> FloatArray:
    """Return how long each answer took, idle time cut; NaN where it was not timed."""
    seconds: FloatArray = times.to_numpy().astype(np.float64)
    return np.minimum(seconds, idle_cap(seconds))


def _hours(seconds: FloatArray, expected: float) -> FloatArray:
    """Return hours; an answer that was not timed took as long as the others."""
    untimed = np.isnan(seconds)
    return np.where(untimed, expected if untimed.all() else np.nanmean(seconds), seconds) / 3600.0
