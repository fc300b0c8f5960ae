"""Predictions part by part: whoever works on the parts, the stage writes what one process would have written."""

from __future__ import annotations

import pickle

import pytest

from labelloop.errors import InputError
from tasks.predicting import PREDICT
from tasks.score import score_references
from tests.builders.onnx_models import model_of_greys
from tests.fakes.world import under_lease
from tests.stages.test_media_scoring import dark_or_bright
from tests.stages.test_media_scoring import world_of as world_of_media
from tests.stages.test_score import world_of

OBJECTS = 6
MODELS = {
    "features": "source: none",
    "vectors": "source: onnx, uri: 's3://media/models/m.onnx'",
}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr("tasks.score._READ", 2)
    monkeypatch.setattr("tasks.score._ASKED", 2)


def in_shards(world):
    world.settings = world.settings.model_copy(update={"shard_rows": 2})
    return world


@pytest.fixture(params=["features", "vectors", "media"])
def worlds(request, tmp_path):
    """Two worlds alike, each to be scored in three parts."""

    def made(name):
        if request.param == "media":
            return in_shards(world_of_media(tmp_path / name, dark_or_bright(embedding=True)))
        world = in_shards(world_of(tmp_path / name, MODELS[request.param]))
        world.media.write("media", "models/m.onnx", model_of_greys(), content_type="x")
        return world

    return made("here"), made("there")


def travelled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - as between processes of a cluster


def elsewhere(world, jobs_done):
    """What carries out jobs as workers of a cluster do; a world answers for their own."""

    def across(jobs):
        jobs_done.extend(jobs)
        return [travelled(PREDICT[job.by](world, job.within, lambda _: None)) for job in travelled(jobs)]

    return across


def said(world):
    return world.table("predictions").read().sort_by([("ref_id", "ascending"), ("model_version", "ascending")])


def test_parts_worked_on_elsewhere_say_what_one_process_says(worlds):
    here, there = worlds
    jobs = []
    counts = [
        under_lease(here, "score", score_references).counts,
        under_lease(there, "score", score_references, elsewhere(there, jobs)).counts,
    ]
    assert counts[0] == counts[1]
    assert len(jobs) in (3, 6)  # vectors are made before they are asked about
    assert said(here).equals(said(there))
    assert said(here).num_rows in (OBJECTS, 2 * OBJECTS)


def test_a_part_that_was_done_twice_is_written_once(worlds):
    world, _ = worlds
    done = []

    def twice(jobs):
        return [part for part in elsewhere(world, done)(jobs) for _ in range(2)]

    under_lease(world, "score", score_references, twice)
    keys = list(zip(*(said(world)[name].to_pylist() for name in ("ref_id", "model_version")), strict=True))
    assert len(keys) == len(set(keys)) == len(done) * 2


def test_a_single_part_is_worked_on_in_place(tmp_path):
    world = world_of(tmp_path, MODELS["features"], objects=2)
    nobody = []
    assert under_lease(world, "score", score_references, elsewhere(world, nobody)).counts["read"] == 2
    assert nobody == []


def test_the_first_part_of_a_model_without_probabilities_stops_the_stage_before_it_writes(tmp_path):
    world = world_of_media(tmp_path, dark_or_bright(ending="Identity"))
    with pytest.raises(InputError, match="no answer of the model is a probability"):
        under_lease(world, "score", score_references)
    assert said(world).num_rows == 0
