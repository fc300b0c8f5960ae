"""The sample stage on a Dask cluster of two worker processes, one of which is killed while it works."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from distributed import Client, LocalCluster
from prefect import flow

from labelloop.spec import load_spec
from tasks.clients.lease import hold
from tasks.clients.world import World
from tasks.runner import task_runner
from tasks.sample import choose_batch, sample
from tests.builders.digits import SPEC
from tests.builders.rows import write

pytestmark = pytest.mark.integration

PROJECT, SHARDS = "sharded", 6
SAMPLING = "sampling: {strategy: k_center, batch_size: 24, audit_rate: 0.25, explore_share: 0.25, seed: 7}"


@pytest.fixture
def two_lakes(s3, stack_environment, monkeypatch, tmp_path):
    """Two worlds alike but for their lake; processes that start now see the second."""
    text = "\n".join(SAMPLING if line.startswith("sampling:") else line for line in SPEC.splitlines())
    text = text.replace("name: digits", f"name: {PROJECT}")
    (tmp_path / f"{PROJECT}.yaml").write_text(text, encoding="utf-8")
    worlds = []
    for name in ("here", "on-dask"):
        changed = {"LAKE_URI": f"s3://labelloop-lake/{name}", "SHARD_ROWS": "20", "PROJECTS_DIR": str(tmp_path)}
        for variable, value in changed.items():
            monkeypatch.setenv(f"LABELLOOP_{variable}", value)
        settings = s3.model_copy(update={"lake_uri": changed["LAKE_URI"], "shard_rows": 20})
        worlds.append(World(settings, load_spec(text)))
        fill(worlds[-1])
    return worlds


@pytest.fixture
def cluster(two_lakes):
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def fill(world: World) -> None:
    rng = np.random.default_rng(3)
    refs = sorted(rng.bytes(16).hex() for _ in range(20 * SHARDS))
    media = {"bucket": "media", "media_version": "v1", "state": "active", "size": 1}
    write(world, "references", [media | {"ref_id": ref, "key": f"digits/{ref}/a.png", "etag": ref} for ref in refs])
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
