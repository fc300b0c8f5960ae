"""The figures of the turns and the summary made of them: from tables alone, whatever their sign, or a reason."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from deployments.demo.summary import TABLES, summary_lines
from labelloop.contracts import contract
from labelloop.turns import turn_figures

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def tables(**rows: list[dict]) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pylist(rows.get(name, []), schema=contract(name).schema) for name in TABLES}


def evaluation(arm: str, seed: int, value: float, number: int = 1) -> dict:
    return {
        "evaluation_id": f"{number}{seed}{arm}".encode().hex().rjust(32, "0")[-32:],
        "round": number,
        "arm": arm,
        "seed": seed,
        "metric": "accuracy",
        "value": value,
        "n": 10,
        "evidence": "e",
        "measured_at": NOW,
    }


def figure(number: int, **changes: object) -> dict:
    return {
        "figure_id": f"{number:032x}",
        "round": number,
        "control": "digit",
        "metric": "krippendorff_alpha",
        "level": "nominal",
        "scope": "project",
        "who": "",
        "n_units": 0,
        "n_annotators": 0,
        "n_ratings": 0,
        "measured_at": NOW,
        **changes,
    }


def test_a_project_without_anything_has_a_summary_too():
    text = "\n".join(summary_lines(turn_figures(tables())))
    assert "Labels: none." in text


def test_a_loss_against_random_labels_is_told_with_its_sign():
    arms = [evaluation("active", s, 0.7 + s / 100) for s in range(3)]
    arms += [evaluation("random", s, 0.8 + s / 50) for s in range(3)]
    row = turn_figures(tables(evaluations=arms))["comparison"][0]
    assert row["difference"] == pytest.approx(-0.11)
    assert row["low"] < row["difference"] < row["high"] < 0
    assert "= -0.110" in "\n".join(summary_lines(turn_figures(tables(evaluations=arms))))


def test_seeds_that_only_one_arm_has_are_left_out():
    arms = [evaluation("active", s, 0.7) for s in (1, 2, 3)] + [evaluation("random", s, 0.6) for s in (2, 3, 4)]
    assert turn_figures(tables(evaluations=arms))["comparison"][0]["n"] == 2


def test_only_the_newest_agreement_is_shown_and_a_missing_figure_says_why():
    rows = [figure(1, value=0.5, low=0.4, high=0.6), figure(2, reason="only one annotator")]
    found = turn_figures(tables(agreement=rows))["agreement"]
    assert [row["reason"] for row in found] == ["only one annotator"]
    assert "none: only one annotator" in "\n".join(summary_lines(turn_figures(tables(agreement=rows))))
