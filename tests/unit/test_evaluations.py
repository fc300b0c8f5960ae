"""Figures of a model: written as rows, read back for the next batch, and shown in the report."""

from __future__ import annotations

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from labelloop.contracts import contract
from labelloop.evaluations import (
    BROUGHT,
    Figure,
    evaluation_rows,
    gain_figure,
    last_gain,
    last_temperature,
    reliability_figures,
)
from labelloop.reliability import Reliability
from labelloop.report.accuracy import accuracy_section
from labelloop.report.section import Source
from labelloop.sampling import Gain
from labelloop.spec import load_spec
from labelloop.turns import turn_figures
from tests.builders.digits import SPEC

FOUND = Reliability(0.2, 0.1, 0.3, 0.5, 0.4, 0.6, 40)
TABLES = [
    *("batches", "annotations", "labels", "agreement", "annotators"),
    *("evaluations", "datasets", "models", "receipts", "quarantine"),
]


def rows(*figures: Figure, round: int = 1, model: str = "model-1", year: int = 2026) -> pa.Table:
    return evaluation_rows(figures, model_version=model, round=round, seed=0, at=datetime(year, 1, 1, tzinfo=UTC))


def tables(evaluations: pa.Table) -> dict[str, pa.Table]:
    return {name: contract(name).schema.empty_table() for name in TABLES} | {"evaluations": evaluations}


def test_the_same_figure_of_the_same_model_gets_the_same_id_and_another_another():
    one = rows(Figure("accuracy", 0.9, 0.8, 1.0, 9))["evaluation_id"]
    assert rows(Figure("accuracy", 0.1, 0.0, 1.0, 9))["evaluation_id"] == one
    assert rows(Figure("accuracy", 0.9, 0.8, 1.0, 9), model="model-2")["evaluation_id"] != one
    assert len(set(rows(*reliability_figures(FOUND, calibrated=True))["evaluation_id"].to_pylist())) == 2


def test_the_newest_gain_counts():
    older, newer = Gain("typiclust", 0.1, 0.0, 0.2, 30), Gain("herding", -0.1, -0.2, -0.05, 40)
    both = [rows(gain_figure(newer), round=2, year=2027), rows(gain_figure(older))]
    assert last_gain(pa.concat_tables(both)) == newer


def test_only_a_brought_models_own_newest_temperature_is_applied():
    ours = rows(Figure("temperature", 3.0, None, None, 40, evidence="random share, cross-fitted"), model="a")
    old = rows(Figure("temperature", 2.0, None, None, 40, evidence=BROUGHT), model="b")
    new = rows(Figure("temperature", 1.5, None, None, 40, evidence=BROUGHT), model="b", round=2, year=2027)
    found = pa.concat_tables([ours, new, old])
    assert [last_temperature(found, model) for model in ("a", "b", None)] == [1.0, 1.5, 1.0]


def test_accuracy_over_the_rounds_is_not_mixed_with_other_figures():
    found = rows(Figure("accuracy", 0.9, 0.8, 1.0, 40), *reliability_figures(FOUND, calibrated=False))
    figures = turn_figures(tables(found))
    assert [row["value"] for row in figures["accuracy"]] == [0.9]
    assert [row["metric"] for row in figures["reliability"]] == ["brier, uncalibrated", "ece, uncalibrated"]


@pytest.mark.slow
def test_the_report_shows_reliability_before_and_after_and_what_a_batch_taught():
    gain = Gain("herding", -0.05, -0.09, -0.01, 80)
    found = rows(
        Figure("accuracy", 0.9, 0.8, 1.0, 40),
        *reliability_figures(FOUND, calibrated=False),
        *reliability_figures(FOUND._replace(ece=0.05), calibrated=True),
        gain_figure(gain),
    )
    at = datetime(2026, 1, 1, tzinfo=UTC)
    grids = accuracy_section(Source(load_spec(SPEC), tables(found), at)).grids
    shown = {grid.caption: grid.rows for grid in grids}
    reliable = next(rows_ for caption, rows_ in shown.items() if caption.startswith("Reliability"))
    assert [(row[1], row[2]) for row in reliable if row[1].startswith("ece")] == [
        ("ece", 0.05),
        ("ece, uncalibrated", 0.2),
    ]
    (taught,) = next(rows_ for caption, rows_ in shown.items() if caption.startswith("What each batch taught"))
    assert taught[:3] == (1, "herding", "-0.050")
    assert taught[4] == pytest.approx(gain.detectable)
