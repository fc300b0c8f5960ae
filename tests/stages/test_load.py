"""How large the next batch may be, from what the lake holds of tasks, answers and scores."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.load import allowed
from tests.builders.digits import SPEC
from tests.builders.rows import write
from tests.fakes.world import make_world


def ago(world, days: float):
    return world.now() - timedelta(days=days)


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path, SPEC)


def tasks(world, states: list[str], *, days_ago: float = 20) -> None:
    write(
        world,
        "tasks",
        [{"state": state, "task_id": n, "pushed_at": ago(world, days_ago)} for n, state in enumerate(states)],
    )


def answers(world, numbers: range, *, days_ago: float = 5, state: str = "active") -> None:
    rows = [{"task_id": n, "state": state, "created_at": ago(world, days_ago)} for n in numbers]
    write(world, "annotations", rows)


def scores(world, version: str, *, days_ago: float) -> None:
    write(world, "predictions", [{"model_version": version, "confidence": 0.5, "created_at": ago(world, days_ago)}])


def test_an_empty_lake_allows_what_the_spec_wants_or_what_is_asked_for(world):
    assert allowed(world, None).size == world.spec.sampling.batch_size
    assert allowed(world, 7).size == 7
    assert allowed(world, 0).size == 0


def test_no_more_than_people_answer_in_four_weeks_lies_before_them(world):
    tasks(world, ["done"] * 10 + ["open"] * 5)
    answers(world, range(10))
    assert allowed(world, 100) == (9, "9 of 100: 5 tasks are open, and at 0.5 answered a day 14 are 28 days of work")


def test_answers_that_were_withdrawn_are_no_throughput_and_silence_stops_the_next_batch(world):
    tasks(world, ["open"] * 5)
    answers(world, range(5), state="deleted")
    assert allowed(world, 100).size == 0


def test_scores_are_as_old_as_the_first_word_of_the_newest_model(world):
    scores(world, "model-1", days_ago=400)
    scores(world, "model-2", days_ago=180)
    assert allowed(world, 10).reason.startswith("5 of 10: the scores are 180 days old")
    scores(world, "model-3", days_ago=1)
    assert allowed(world, 10).size == 10
