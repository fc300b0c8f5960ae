"""Sampling and scoring on a Dask cluster of two worker processes, one of which is killed while it works."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.compute as pc
import pytest
from dask import config as dask_settings
from distributed import Client, LocalCluster
from distributed.utils import get_mp_context
from prefect import flow

from deployments.demo import digits
from labelloop.errors import UnavailableError
from tasks.clients import dask
from tasks.clients.lease import hold
from tasks.clients.world import World, open_world
from tasks.features import version_of
from tasks.runner import task_runner
from tasks.sample import choose_batch, sample
from tasks.score import score
from tests.builders.closed_ports import closed_port
from tests.builders.digits import SPEC
from tests.builders.rows import write

pytestmark = pytest.mark.integration

PROJECT, ANOTHER, SHARDS = "sharded", "another", 6
SAMPLING = "sampling: {strategy: k_center, batch_size: 24, audit_rate: 0.25, explore_share: 0.25, seed: 7}"


def spec_text(name: str) -> str:
    text = "\n".join(SAMPLING if line.startswith("sampling:") else line for line in SPEC.splitlines())
    return text.replace("name: digits", f"name: {name}").replace("digits/", "dask/")


@pytest.fixture(scope="module")
def two_lakes(stack, s3, tmp_path_factory):
    """Two worlds alike but for their lake; processes that start now see the second, and another project in it."""
    specs = tmp_path_factory.mktemp("specs")
    for name in (PROJECT, ANOTHER):
        (specs / f"{name}.yaml").write_text(spec_text(name), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in stack.variables.items():
            patch.setenv(variable, value)
        patch.setenv("LABELLOOP_SHARD_ROWS", "20")
        patch.setenv("LABELLOOP_PROJECTS_DIR", str(specs))
        worlds = []
        for name in ("here", "on-dask"):
            patch.setenv("LABELLOOP_LAKE_URI", f"s3://labelloop-lake/{name}")
            worlds.append(open_world(PROJECT))
            fill(worlds[-1])
        yield worlds


@pytest.fixture(scope="module")
def cluster(two_lakes):
    """Two workers; they, and those that replace the killed, come from a process that has been through the imports."""
    told = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
    with (
        pytest.MonkeyPatch.context() as patch,
        dask_settings.set({"distributed.worker.multiprocessing-method": "forkserver"}),
    ):
        # A run has one such process, which also serves the tests that kill batches: shards of theirs are large.
        patch.delenv("LABELLOOP_SHARD_ROWS")
        get_mp_context().set_forkserver_preload(["__main__", "distributed", "tests.e2e.killed_batch"])
        with LocalCluster(**told, silence_logs=50) as cluster:
            patch.undo()
            yield cluster


def fill(world: World) -> None:
    rng = np.random.default_rng(3)
    refs = sorted(rng.bytes(16).hex() for _ in range(20 * SHARDS))
    media = {"bucket": "media", "media_version": "v1", "state": "active", "size": 1}
    write(world, "references", [media | {"ref_id": ref, "key": f"dask/{ref}/a.png", "etag": ref} for ref in refs])
    told = {"model_version": "m", "media_version": "v1"}
    write(world, "predictions", [told | {"ref_id": ref, "embedding": rng.normal(size=3).tolist()} for ref in refs])


def kill_a_worker_at_work(client: Client) -> int:
    """Kill a worker process as soon as it has work on its hands, and return its number."""
    numbers, end = client.run(os.getpid), time.monotonic() + 60
    while time.monotonic() < end:
        for address, work in client.processing().items():
            if work:
                os.kill(numbers[address], signal.SIGKILL)
                return numbers[address]
        time.sleep(0.01)
    raise AssertionError("no worker was given any work")


def chosen(world: World) -> list[tuple]:
    rows = world.table("batches").read().sort_by("unit_id")
    return [tuple(row[name] for name in ("unit_id", "stratum", "rank")) for row in rows.to_pylist()]


@pytest.mark.usefixtures("prefect")
def test_a_round_on_dask_is_that_of_one_process_though_a_worker_is_killed(two_lakes, cluster, monkeypatch):
    here, there = two_lakes
    with hold(here.hot, f"{PROJECT}/sample", seconds=60, wait_seconds=0) as lease:
        choose_batch(here, lease, {})
    monkeypatch.setenv("LABELLOOP_DASK_SCHEDULER", cluster.scheduler_address)  # the one setting

    @flow(task_runner=task_runner())
    def choosing() -> dict[str, object]:  # Dask sends it to the workers: it may hold on to nothing of this process
        return sample(PROJECT, {})

    with Client(cluster.scheduler_address) as client, ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_a_worker_at_work, client)
        assert choosing()["counts"] == {"chosen": 24}
        assert killing.result() not in client.run(os.getpid).values()
    assert chosen(there) == chosen(here)


@pytest.mark.usefixtures("prefect")
def test_media_is_read_on_dask_and_written_once_though_a_worker_is_killed(cluster, monkeypatch):
    world = open_world(ANOTHER)
    references = world.table("references").read().sort_by("ref_id")
    (png,) = digits.images(1)
    for key in references["key"].to_pylist():
        world.media.write("media", key, png, content_type="image/png")
    monkeypatch.setenv("LABELLOOP_DASK_SCHEDULER", cluster.scheduler_address)
    monkeypatch.setattr("tasks.score._READ", 20)

    @flow(task_runner=task_runner())
    def scoring() -> dict[str, object]:
        return score(ANOTHER)

    with Client(cluster.scheduler_address) as client, ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_a_worker_at_work, client)
        assert scoring()["counts"]["read"] == 20 * SHARDS
        assert killing.result() not in client.run(os.getpid).values()
    made = world.table("predictions").read()
    made = made.filter(pc.equal(made["model_version"], version_of(world))).sort_by("ref_id")
    assert made["ref_id"].to_pylist() == references["ref_id"].to_pylist()


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setenv("LABELLOOP_DASK_SCHEDULER", closed_port().replace("http:", "tcp:"))
    monkeypatch.setattr(dask, "CONNECTING", "1s")
    with task_runner() as runner, pytest.raises(UnavailableError, match="no Dask scheduler answers"):
        runner.submit(score, {"project": PROJECT})
