"""The verb `forecast` on a world in memory."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from deployments.cli import forecast_verb
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path, SPEC)


@pytest.fixture
def forecast(world, labelloop, monkeypatch):
    monkeypatch.setattr(forecast_verb, "world_at", lambda _: world)
    return lambda *words: labelloop("forecast", "digits", *words)


def work(world, days: int) -> None:
    begun = world.now() - timedelta(days=days)
    write(world, "tasks", [{"state": "open", "overlap": 1, "pushed_at": begun}] * 30)
    answers = [
        {"annotation_id": f"a-{n}", "unit_id": hex_id(n), "state": "active", "opinion_reason": "planned"}
        | {"created_at": begun + timedelta(days=n, hours=1)}
        for n in range(days)
    ]
    write(world, "annotations", answers)


def test_the_forecast_tells_days_dates_and_the_reason_for_what_it_cannot(world, forecast):
    work(world, 10)
    code, out, _ = forecast("--json")
    waiting, _, budget = json.loads(out)
    assert (code, waiting["answers"], waiting["days"]) == (0, 20, 20)
    assert waiting["date"] == f"{world.now() + timedelta(days=20):%Y-%m-%d}"
    assert budget["days"] is None
    assert "hours_per_round" in budget["reason"]
    shown = forecast()[1]
    assert "the open tasks " in shown
    assert "the budget of the round: the spec sets no" in shown


def test_a_first_week_foresees_nothing_and_ends_with_exit_code_1(world, forecast):
    work(world, 3)
    code, out, _ = forecast()
    assert code == 1
    assert "3 day(s) since the first task" in out
