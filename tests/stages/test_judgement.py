"""A new model is calibrated on the random share, measured on the audit, and its last batch compared with chance."""

from __future__ import annotations

import pytest

from labelloop.evaluations import last_gain
from labelloop.score import embedding_rows
from tasks.features import version_of
from tasks.models import trained_model
from tests.builders import labelled_world
from tests.builders.digits import START
from tests.builders.labelled_world import publish
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world
from tests.stages.test_retrain import AUDIT, N, figures, models, run, vectors

TRAIN = [i for i in range(N) if i not in AUDIT]


def world_of(tmp_path, strata: dict[int, str], *, noisy: int = 0):
    """Labels of two clusters, a seventh of the training ones wrong if noisy, chosen in round 1 as `strata` says."""
    units = {i: {"purpose": "audit"} for i in AUDIT}
    made = labelled_world.labelled_world(make_world(tmp_path), N, units=units)
    wrong = {i: {"label": str(1 - i % 2)} for i in TRAIN[:noisy]}
    labelled_world.fill(made, N, labels=wrong, units=units)
    rows = [{"unit_id": hex_id(i), "round": 1, "stratum": s, "strategy": "herding"} for i, s in strata.items()]
    write(made, "batches", rows)
    references = made.table("references").read().sort_by("ref_id")
    rows = embedding_rows(references, list(vectors()), version=version_of(made), at=START)
    made.table("predictions").upsert(rows, fence=lambda: None)
    publish(made)
    return made


def shares(explored: int) -> dict[int, str]:
    return {i: "explore" if place < explored else "exploit" for place, i in enumerate(TRAIN)}


def test_a_model_is_calibrated_on_the_random_share_and_reliability_is_told_before_and_after(tmp_path):
    world = world_of(tmp_path, shares(40), noisy=12)
    assert "calibrated with temperature" in run(world).notes[0]
    (temperature,) = figures(world, "temperature")
    assert (temperature["n"], temperature["evidence"]) == (40, "random share, cross-fitted")
    for metric in ("ece", "brier"):
        (before,), (after,) = figures(world, f"{metric}, uncalibrated"), figures(world, metric)
        assert before["evidence"] == after["evidence"] == "audit"
        assert before["n"] == after["n"] == len(AUDIT)
        assert after["low"] <= after["value"] <= after["high"]
    assert after["value"] != before["value"]


def test_the_model_in_force_speaks_with_its_temperature(tmp_path):
    world = world_of(tmp_path, shares(40), noisy=12)
    run(world)
    (temperature,) = figures(world, "temperature")
    told = trained_model(world).model.probabilities(vectors()[list(AUDIT)]).max(axis=1).mean()
    without = world_of(tmp_path / "without", shares(0), noisy=12)
    run(without)
    alone = trained_model(without).model.probabilities(vectors()[list(AUDIT)]).max(axis=1).mean()
    assert temperature["value"] > 1
    assert told < alone


def test_too_few_random_answers_leave_the_model_as_it_is_and_the_reason_is_kept(tmp_path):
    world = world_of(tmp_path, shares(29))
    run(world)
    assert "not calibrated: 29 answers of the random share are too few" in models(world)[0]["reason"]
    assert figures(world, "temperature") == figures(world, "ece") == []
    assert len(figures(world, "ece, uncalibrated")) == 1


def test_what_the_last_batch_taught_is_measured_on_audit_units_and_read_back(tmp_path):
    world = world_of(tmp_path, shares(20))
    assert "the last herding batch gained" in run(world).notes[0]
    (gain,) = figures(world, "exploit gain")
    assert (gain["arm"], gain["n"]) == ("herding", len(AUDIT))
    found = last_gain(world.table("evaluations").read())
    assert (found.strategy, found.difference) == ("herding", pytest.approx(gain["value"]))


def test_without_a_batch_to_compare_the_reason_is_told(tmp_path):
    world = world_of(tmp_path, {})
    assert "what the last batch taught is not known: 0 random labels are too few" in run(world).notes[0]
    assert last_gain(world.table("evaluations").read()) is None
