"""The forecast: counts what is missing, extrapolates what people did of late, and says why it cannot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from labelloop.forecast import Forecast, days_until, forecasts
from labelloop.spec import load_spec
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, rows_of

NOW = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
BUDGET = "sampling: {strategy: random, batch_size: 10, budget: {hours_per_round: 4, rate_per_hour: 20}}"


def spec(sampling: str = "sampling: {strategy: random, batch_size: 10}", overlap: str = "overlap: {share: 0.5}"):
    lines = [line for line in SPEC.splitlines() if not line.startswith(("sampling:", "overlap:"))]
    return load_spec("\n".join([*lines, sampling, overlap]))


def tables(
    *, days: float = 20, each_day: int = 2, open_tasks: int = 30, overlap: int = 2, seconds: float | None = 60
):
    """Tasks pushed so many days ago, and so many answers on each day since, all to the first tasks."""
    pushed = {"pushed_at": NOW - timedelta(days=days), "overlap": overlap, "state": "open"}
    times = [NOW - timedelta(days=day + 0.5) for day in range(int(days)) for _ in range(each_day)]
    answers = [
        {"unit_id": hex_id(i // overlap), "annotation_id": f"a-{i}", "state": "active", "created_at": at}
        | {"lead_time": seconds, "opinion_reason": "planned"}
        for i, at in enumerate(times)
    ]
    return {
        "tasks": rows_of("tasks", [pushed] * open_tasks),
        "annotations": rows_of("annotations", answers),
        "batches": rows_of("batches", [{"round": 1}] * open_tasks),
    }


def test_open_tasks_wait_for_every_opinion_they_still_miss():
    waiting, batch, budget = forecasts(spec(), tables(), NOW)
    assert waiting == Forecast("the open tasks", answers=20, hours=pytest.approx(1 / 3), days=10, low=10, high=10)
    assert (batch.answers, batch.days) == (35, 18)
    assert budget.reason == "the spec sets no sampling.budget.hours_per_round"


def test_the_budget_is_spent_by_the_answers_of_the_round_and_costs_what_the_rate_says():
    waiting, _, budget = forecasts(spec(BUDGET), tables(seconds=120), NOW)
    assert waiting.cost == pytest.approx(20 * 120 / 3600 * 20)
    assert budget.hours == pytest.approx(4 - 40 * 120 / 3600)
    assert (budget.days, budget.answers) == (40, None)


def test_answers_that_were_withdrawn_and_those_of_experts_count_for_nothing():
    given = tables()
    kept = given["annotations"].to_pylist()
    for row, change in zip(kept, [{"state": "deleted"}, {"opinion_reason": "review"}], strict=False):
        row |= change
    assert forecasts(spec(), given | {"annotations": rows_of("annotations", kept)}, NOW)[0].answers == 22


def test_an_answer_to_several_questions_is_one():
    given = tables()
    twice = given["annotations"].to_pylist()
    twice += [row | {"control": "other"} for row in twice]
    assert forecasts(spec(), given | {"annotations": rows_of("annotations", twice)}, NOW)[0].answers == 20


@pytest.mark.parametrize(
    ("past", "reason"),
    [
        ({"open_tasks": 0, "each_day": 0}, "0 day(s) since the first task; 7 tell a pace"),
        ({"days": 6.9}, "6 day(s) since the first task; 7 tell a pace"),
        ({"each_day": 0}, "nobody answered in the last 20 days"),
        ({"each_day": 0, "days": 200}, "nobody answered in the last 28 days"),
    ],
)
def test_too_little_to_go_by_is_a_reason_and_no_figure(past, reason):
    waiting = forecasts(spec(), tables(**past), NOW)[0]
    assert (waiting.days, waiting.low, waiting.high, waiting.reason) == (None, None, None, reason)


def test_answers_that_nobody_timed_take_what_the_spec_expects():
    waiting = forecasts(spec(), tables(seconds=None), NOW)[0]
    assert waiting.hours == pytest.approx(20 * 30 / 3600)


def test_the_interval_is_wide_where_days_differ_and_open_where_they_may_never_suffice():
    calm = days_until(np.full(14, 5.0), 100, seed=0)
    uneven = days_until(np.array([10.0, 0.0] * 7), 100, seed=0)
    assert calm == (20, 20, 20)
    assert uneven[1] < 20 < uneven[2]
    assert days_until(np.array([1.0, *[0.0] * 6]), 5, seed=0)[2] is None
    assert days_until(np.array([0.0]), 0, seed=0) == (0, 0, 0)


@pytest.mark.slow
def test_the_interval_holds_the_day_in_about_95_of_100_pasts():
    held, trials = 0, 200
    for seed in range(trials):
        rng = np.random.default_rng(seed)
        past, future = rng.poisson(rng.gamma(2.0, 5.0, 28)), rng.poisson(rng.gamma(2.0, 5.0, 400))
        actual = 1 + int((np.cumsum(future) >= 300).argmax())
        _, low, high = days_until(past.astype(np.float64), 300, seed=seed)
        held += low <= actual <= (high or 1e9)
    assert 0.88 <= held / trials <= 0.99
