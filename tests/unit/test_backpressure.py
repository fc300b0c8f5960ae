"""Backpressure: the tightest limit decides the batch and says so; what is not known limits nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from labelloop.sampling import backpressure, throughput

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def times(*days_ago: float) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([NOW - timedelta(days=d) for d in days_ago], pa.timestamp("us", "UTC"))])


@pytest.mark.parametrize(
    ("load", "size", "why"),
    [
        ({}, 100, "40 tasks are open and at most 500 may be"),
        ({"throughput": 10.0}, 100, "at most 500 may be"),
        ({"throughput": 2.0}, 16, "at 2.0 answered a day 56 are 28 days of work"),
        ({"throughput": 1.0}, 0, "at 1.0 answered a day 28 are 28 days of work"),
        ({"throughput": 0.0}, 0, "at 0.0 answered a day 0 are 28 days of work"),
        ({"score_age": 90.0}, 100, "at most 500 may be"),
        ({"score_age": 180.0}, 50, "the scores are 180 days old and stay fresh for 90: retrain or bring new ones"),
        ({"score_age": 180.0, "throughput": 2.0}, 16, "answered a day"),
        ({"score_age": 36_000.0}, 0, "36000 days old"),
    ],
)
def test_the_tightest_limit_decides_and_says_so(load, size, why):
    found = backpressure(100, 40, 500, **load)
    assert found.size == size
    assert found.reason.startswith(f"{size} of 100: ")
    assert why in found.reason


def test_nobody_is_given_less_than_nothing_nor_more_than_was_wanted():
    assert backpressure(100, 900, 500, throughput=1.0).size == 0
    assert backpressure(0, 0, 500, throughput=99.0).size == 0
    assert backpressure(7, 0, 500, throughput=99.0).size == 7


def test_throughput_is_answers_per_day_since_the_first_task_or_over_four_weeks():
    assert throughput(times(10, 10, 10), times(9, 1), NOW) == pytest.approx(0.2)
    assert throughput(times(280), times(200, 28, 5), NOW) == pytest.approx(2 / 28)


def test_a_first_week_tells_nothing_and_later_silence_is_no_throughput():
    assert throughput(times(), times(), NOW) is None
    assert throughput(times(6.9), times(1), NOW) is None
    assert throughput(times(7), times(), NOW) == 0.0
