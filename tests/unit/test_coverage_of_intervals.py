"""Nominal 95 % intervals hold the truth about as often as they say: a small part of `--only coverage`."""

from __future__ import annotations

import json

import pytest

from benchmarks.coverage import SIMULATIONS, coverage
from benchmarks.page import FIGURES


@pytest.mark.slow
@pytest.mark.parametrize("answers", SIMULATIONS)
def test_intervals_hold_the_truth_about_as_often_as_they_say(answers):
    rows = coverage(answers, 120, first_seed=50_000)
    assert all(88.0 <= row["coverage, %"] <= 99.5 for row in rows), rows  # three deviations of 120 runs


def test_every_estimator_of_the_page_lies_between_93_and_97_percent():
    rows = json.loads(FIGURES.read_text(encoding="utf-8"))["coverage"]["tables"]["Coverage"]
    assert [row for row in rows if not 93.0 <= row["coverage, %"] <= 97.0] == []
    assert len(rows) > 20
