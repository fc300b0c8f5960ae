"""The weekly batch, killed at each stage boundary in turn and run again, ends where an undisturbed one ends."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter

import pytest

from deployments.demo import digits
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.lake import Lake
from tasks.clients.media import S3MediaStore
from tasks.clients.s3 import connect, storage_options

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

STAGES = ["erasure", "sync", "score", "sample", "push"]
SPEC = """
name: killed
title: Killed and run again
media: {bucket: media, prefix: digits/, subject_id: {key: "digits/(?P<subject>[^/]+)/"}}
interface:
  questions:
    - {name: digit, prompt: "Which digit?", labels: [{value: "0"}, {value: "1"}, {value: "2"}, {value: "3"}]}
guidelines: {text: Choose the digit.}
sampling: {strategy: auto, batch_size: 12, audit_rate: 0.2, explore_share: 0.2}
overlap: {share: 0, uncertain_share: 0.5, annotators: 2, maximum: 2}
annotators: {count: 2}
model: {source: trainer, features: {width: 8, height: 8}}
"""
IMAGES = 30


@pytest.fixture(scope="module")
def environment(tmp_path_factory, stack, label_studio, prefect):
    """Variables for a child process, with the spec in place and images in the bucket."""
    projects = tmp_path_factory.mktemp("projects")
    (projects / "killed.yaml").write_text(SPEC, encoding="utf-8")
    store = S3MediaStore(connect(label_studio))
    for index, png in enumerate(digits.images(IMAGES)):
        store.write("media", digits.key_of(index), png, content_type="image/png")
    return {**stack.variables, "LABELLOOP_PROJECTS_DIR": str(projects), "LABELLOOP_LEASE_SECONDS": "30"}


@pytest.fixture(scope="module")
def children(environment):
    """A fork server that has imported everything, so that a child costs no start-up."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", "tests.e2e.killed_batch"])
        yield context


@pytest.fixture(scope="module")
def undisturbed(children, environment, label_studio):
    return turn(children, environment, label_studio, "clean", killed_after=[])


def test_a_batch_killed_after_each_stage_and_run_again_ends_as_if_undisturbed(
    children, environment, label_studio, undisturbed
):
    assert turn(children, environment, label_studio, "killed", killed_after=STAGES) == undisturbed


def test_the_undisturbed_batch_is_the_one_the_spec_asks_for(undisturbed):
    units, in_label_studio, overlaps = undisturbed
    assert len(units) == 12
    assert set(in_label_studio.values()) == {1}
    assert in_label_studio.keys() == units.keys()
    assert sorted(set(overlaps.values())) == [1, 2]


def turn(children, environment, settings, name: str, *, killed_after: list[str]):
    """Run the batch in a lake of its own, first killed after each of these stages, and return what it left behind."""
    lake_uri = f"{environment['LABELLOOP_LAKE_URI']}/{name}"
    own = {**environment, "LABELLOOP_LAKE_URI": lake_uri}
    for stage in killed_after:
        assert run(children, own, stage) == -signal.SIGKILL, stage
    assert run(children, own, None) == 0
    return left_behind(settings, lake_uri)


def run(children, environment, killed_after: str | None) -> int | None:
    from tests.e2e import killed_batch

    child = children.Process(target=killed_batch.run, args=(environment, "killed", killed_after))
    child.start()
    child.join()
    return child.exitcode


def left_behind(settings, lake_uri: str):
    """Units with rank, stratum and place in the queue; tasks per unit on the server; overlap per unit there."""
    lake, server = Lake(lake_uri, storage_options(settings)), connect_label_studio(settings)
    batch = lake.table("batches", "killed").read().to_pylist()
    tasks = lake.table("tasks", "killed").read().to_pylist()
    remote = list(server.changed_tasks(tasks[0]["ls_project"], None))
    assert {t["task_id"] for t in tasks} == {t.task_id for t in remote}
    units = {row["unit_id"]: (row["rank"], row["stratum"], row["queue_score"]) for row in batch}
    return units, Counter(t.unit_id for t in remote), {t.unit_id: t.overlap for t in remote}
