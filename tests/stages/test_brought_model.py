"""A model that is brought is measured on the audit and speaks, when a batch is chosen, with its own temperature."""

from __future__ import annotations

import numpy as np
import pytest

from labelloop.evaluations import last_temperature
from tasks.candidates import read_candidates
from tests.builders import labelled_world
from tests.builders.digits import SPEC, START
from tests.builders.labelled_world import publish
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world
from tests.stages.test_retrain import AUDIT, N, figures, models, run

MODEL = "parquet-1"
TRAIN = [i for i in range(N) if i not in AUDIT]


def world_of(tmp_path, *, explored: int):
    """A model that is right three times in four and says so with 0.98; unit N was not asked about."""
    spec = SPEC.replace("source: trainer", "source: parquet, uri: 's3://media/said.parquet'")
    units = {i: {"purpose": "audit"} for i in AUDIT}
    made = labelled_world.labelled_world(make_world(tmp_path, spec), N, units=units)
    write(made, "batches", [_chosen(i, "explore" if i in TRAIN[:explored] else "exploit") for i in range(N)])
    reference = {"ref_id": hex_id(N), "bucket": "media", "key": "digits/new", "media_version": "v1"}
    write(made, "references", [reference])
    write(made, "predictions", [_said(i, right=i % 4 != 0) for i in range(N + 1)])
    publish(made)
    return made


def _chosen(number: int, stratum: str) -> dict:
    return {"unit_id": hex_id(number), "round": 1, "stratum": stratum, "strategy": "herding"}


def _said(number: int, *, right: bool) -> dict:
    first = 0.98 if (number % 2 == 0) == right else 0.01
    told = {"classes": ["0", "1", "2"], "probabilities": [first, 0.99 - first, 0.01], "confidence": 0.98}
    return {"ref_id": hex_id(number), "media_version": "v1", "model_version": MODEL, "created_at": START} | told


def test_a_model_that_is_too_sure_gets_a_temperature_and_its_errors_fall(tmp_path):
    world = world_of(tmp_path, explored=60)
    assert "calibrated with temperature" in run(world).notes[0]
    (temperature,) = figures(world, "temperature")
    assert temperature["value"] > 1.5
    for metric in ("ece", "brier"):
        (before,), (after,) = figures(world, f"{metric}, uncalibrated"), figures(world, metric)
        assert after["value"] < before["value"]
        assert after["n"] == len(AUDIT)
    assert models(world) == []


def test_the_pool_of_the_next_batch_speaks_with_the_temperature(tmp_path):
    world = world_of(tmp_path, explored=60)
    raw = read_candidates(world, 2, MODEL).fresh
    run(world)
    warm = read_candidates(world, 2, MODEL).fresh
    assert raw["ref_id"].to_pylist() == warm["ref_id"].to_pylist() == [hex_id(N)]
    assert raw["confidence"][0].as_py() == 0.98
    assert warm["confidence"][0].as_py() < 0.95
    assert warm["confidence"][0].as_py() == pytest.approx(max(warm["probabilities"][0].as_py()))
    assert np.sum(warm["probabilities"][0].as_py()) == pytest.approx(1)


def test_too_few_random_answers_change_nothing_and_the_reason_is_told(tmp_path):
    world = world_of(tmp_path, explored=10)
    assert run(world).notes == (
        "not calibrated: 10 answers of the random share are too few to calibrate on, 30 are needed",
    )
    assert last_temperature(world.table("evaluations").read(), MODEL) == 1.0


def test_a_second_run_writes_nothing_new(tmp_path):
    world = world_of(tmp_path, explored=60)
    run(world)
    before = world.table("evaluations").read().num_rows
    run(world)
    assert world.table("evaluations").read().num_rows == before
