"""Backpressure: the work before annotators, how fast they are and how old the scores are bound the next batch."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

WINDOW: Final = timedelta(days=28)  # how far back answers tell how fast people work
KNOWN_AFTER: Final = timedelta(days=7)  # a first week says little: people may not have begun
_DAY: Final = timedelta(days=1)


class Backpressure(NamedTuple):
    """How many references the next batch may have, and why."""

    size: int
    reason: str


def backpressure(
    batch_size: int,
    open_tasks: int,
    max_open: int,
    *,
    throughput: float | None = None,
    backlog_days: float = 28.0,
    score_age: float | None = None,
    score_days: float = 90.0,
) -> Backpressure:
    """The largest batch that every limit allows, and the limit that decided; zero is a valid size.

    Open work: at most `max_open` tasks may be open. Throughput: nor more than people finish in `backlog_days`. Age:
    of scores older than `score_days`, a batch smaller in proportion, since it would be chosen by an opinion that is
    out of date. Whole numbers, rounded down.

    Args:
        batch_size: what is wanted.
        open_tasks: how many tasks are open.
        max_open: how many may be.
        throughput: tasks answered in a day; None while it is not known.
        backlog_days: days of work that may lie before people.
        score_age: days since the model in force spoke first; None without a model.
        score_days: days that scores stay fresh.

    >>> backpressure(100, 40, 120)
    Backpressure(size=80, reason='80 of 100: 40 tasks are open and at most 120 may be')
    >>> backpressure(100, 40, 500, throughput=2.0).reason
    '16 of 100: 40 tasks are open, and at 2.0 answered a day 56 are 28 days of work'
    """
    allowed = [(max_open - open_tasks, f"{open_tasks} tasks are open and at most {max_open} may be")]
    if throughput is not None:
        work = int(throughput * backlog_days)
        why = f"{open_tasks} tasks are open, and at {throughput:.1f} answered a day {work} are {backlog_days:g} days"
        allowed.append((work - open_tasks, f"{why} of work"))
    if score_age is not None and score_age > score_days:
        why = f"the scores are {score_age:.0f} days old and stay fresh for {score_days:g}: retrain or bring new ones"
        allowed.append((int(batch_size * score_days / score_age), why))
    least, reason = min(allowed, key=lambda limit: min(batch_size, limit[0]))
    size = max(0, min(batch_size, least))
    return Backpressure(size, f"{size} of {batch_size}: {reason}")


def throughput(pushed_at: pa.ChunkedArray, answered_at: pa.ChunkedArray, now: datetime) -> float | None:
    """Tasks answered in a day, over the last 28 days or since the first task, if that is less; None before a week.

    Args:
        pushed_at: when each task was put before people.
        answered_at: when each answered task was answered first.
        now: the present.

    >>> from datetime import UTC
    >>> monday = datetime(2026, 1, 5, tzinfo=UTC)
    >>> days = pa.chunked_array([[monday + timedelta(days=n) for n in range(7)]])
    >>> throughput(days, days, monday + timedelta(days=14))
    0.5
    """
    first = pc.min(pushed_at).as_py()
    if first is None or now - first < KNOWN_AFTER:
        return None
    begin = max(first, now - WINDOW)
    answered = pc.sum(pc.greater_equal(answered_at, pa.scalar(begin))).as_py() or 0
    return float(answered / ((now - begin) / _DAY))
