"""Forecast: when the open tasks are answered and the budget is spent, from what people did of late.

Days are drawn, not weekdays: the window is four whole weeks, so that weekends come as often as they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from labelloop.pace import Pace, pace_of
from labelloop.sampling.backpressure import KNOWN_AFTER
from labelloop.spec import ProjectSpec

FloatArray = NDArray[np.float64]
HORIZON: Final = 730  # days that are looked ahead
DRAWS: Final = 1000
_ROUNDING: Final = 1e-9  # sums of hours are not exact
_DAY: Final = timedelta(days=1)


class Forecast(NamedTuple):
    """How many days something takes, with the ends of a 95 % interval, or the reason why that cannot be told.

    `answers` and `hours` are what is left to do; `cost` is None without a rate; `high` is None beyond two years.
    """

    what: str
    answers: int | None = None
    hours: float | None = None
    cost: float | None = None
    days: int | None = None
    low: int | None = None
    high: int | None = None
    reason: str | None = None


def forecasts(spec: ProjectSpec, tables: Mapping[str, pa.Table], at: datetime) -> list[Forecast]:
    """When the open tasks are answered, when a further batch would be, and when the round's budget is spent.

    The pace is that of the last 28 days, or since the first task. Days without work count like any other.

    Args:
        spec: of the project; its batch size, overlap, budget and rate count.
        tables: rows of the contracts `tasks, annotations, batches`.
        at: the present.
    """
    past = pace_of(tables, at, expected=spec.sampling.budget.seconds_per_answer)
    overlap = spec.overlap
    planned = round(spec.sampling.batch_size * (1 + overlap.share * (overlap.annotators - 1)))
    waiting = {"the open tasks": past.missing, "the open tasks and another batch": past.missing + planned}
    found = [
        _forecast(what, past.answers, left, spec.sampling.seed)._replace(answers=left, hours=left * past.hours_each)
        for what, left in waiting.items()
    ]
    return [_with_cost(spec, row) for row in (*found, _budget(spec, past))]


def days_until(per_day: FloatArray, left: float, *, seed: int) -> tuple[int | None, int | None, int | None]:
    """Median and 95 % interval of the days until so much is done; None beyond two years.

    Days to come are drawn from a resample of those seen, so that the interval knows both how days differ and how
    little a short past tells (bootstrap for prediction, Efron and Tibshirani 1993).

    Args:
        per_day: (n,) n >= 1, done on each day of the past, from 0.
        left: what is left to do.
        seed: of the draws.

    >>> days_until(np.array([4.0, 4.0, 4.0]), 10, seed=0)
    (3, 3, 3)
    """
    if left <= 0:
        return 0, 0, 0
    rng, n = np.random.default_rng(seed), len(per_day)
    seen = per_day[rng.integers(n, size=(DRAWS, n))]
    done = np.cumsum(np.take_along_axis(seen, rng.integers(n, size=(DRAWS, HORIZON)), axis=1), axis=1)
    is_done = done >= left * (1 - _ROUNDING)
    taken = np.where(is_done[:, -1], 1 + is_done.argmax(axis=1), np.inf)
    # Ends are days that were drawn: between a day and never there is nothing to interpolate.
    middle, low, high = np.quantile(taken, [0.5, 0.025, 0.975], method="inverted_cdf")
    return _whole(middle), _whole(low), _whole(high)


def _whole(days: float) -> int | None:
    return int(days) if np.isfinite(days) else None


def _forecast(what: str, per_day: FloatArray, left: float, seed: int) -> Forecast:
    if len(per_day) < KNOWN_AFTER / _DAY:
        return Forecast(what, reason=f"{len(per_day)} day(s) since the first task; {KNOWN_AFTER.days} tell a pace")
    if not per_day.any() and left > 0:
        return Forecast(what, reason=f"nobody answered in the last {len(per_day)} days")
    days, low, high = days_until(per_day, left, seed=seed)
    return Forecast(
        what, days=days, low=low, high=high, reason=None if high is not None else "may take over two years"
    )


def _budget(spec: ProjectSpec, past: Pace) -> Forecast:
    what, given = "the budget of the round", spec.sampling.budget.hours_per_round
    if given is None:
        return Forecast(what, reason="the spec sets no sampling.budget.hours_per_round")
    left = max(0.0, given - past.hours_of_round)
    return _forecast(what, past.hours, left, spec.sampling.seed)._replace(hours=left)


def _with_cost(spec: ProjectSpec, row: Forecast) -> Forecast:
    rate = spec.sampling.budget.rate_per_hour or spec.annotators.hourly_rate
    return row._replace(cost=row.hours * rate) if rate and row.hours is not None else row


def dated(row: Forecast, at: datetime) -> dict[str, Any]:
    """The forecast with days as dates beside them, JSON-safe.

    >>> dated(Forecast("the open tasks", days=3), datetime(2026, 1, 30))["date"]
    '2026-02-02'
    """
    dates = {
        name: None if days is None else f"{at + days * _DAY:%Y-%m-%d}"
        for name, days in (("date", row.days), ("date_low", row.low), ("date_high", row.high))
    }
    return row._asdict() | dates
