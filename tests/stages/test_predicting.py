"""Predictions part by part: whoever works on the parts, the stage writes what one process would have written."""

from __future__ import annotations

import os
import pickle
from concurrent.futures import CancelledError
from dataclasses import dataclass

import pytest

from labelloop.errors import InputError, UnavailableError
from tasks.predicting import PREDICT
from tasks.runner import on_task_runner
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


class Work:
    """A task as it is submitted, on a cluster that is lost after some results; counts how many are on their way."""

    def __init__(self, lasts: int = 10**6) -> None:
        self.lasts, self.under_way, self.most = lasts, 0, 0

    def submit(self, _: str, job: int) -> Promise:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        return Promise(self, job)


@dataclass
class Promise:
    work: Work
    job: int

    def result(self) -> int:
        self.work.under_way -= 1
        if self.job >= self.work.lasts:
            raise CancelledError
        return self.job


def test_results_come_in_order_and_few_wait_to_be_taken():
    work = Work()
    assert list(on_task_runner(work, "digits")(range(500))) == list(range(500))
    assert work.most <= 2 * os.cpu_count() + 1


def test_a_cluster_that_is_lost_is_named_and_what_came_before_is_kept():
    results = on_task_runner(Work(lasts=2), "digits")(range(500))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(UnavailableError, match="connection to the Dask scheduler was lost"):
        next(results)


def test_the_first_part_of_a_model_without_probabilities_stops_the_stage_before_it_writes(tmp_path):
    world = world_of_media(tmp_path, dark_or_bright(ending="Identity"))
    with pytest.raises(InputError, match="no answer of the model is a probability"):
        under_lease(world, "score", score_references)
    assert said(world).num_rows == 0
