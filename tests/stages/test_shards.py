"""The sample stage on a pool in shards: the round is what it is for a pool in one piece."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tasks.clients.rounds import current_round, save_round
from tasks.sample import choose_batch
from tasks.shards import find, shards_of
from tests.builders.digits import SPEC
from tests.builders.rows import write
from tests.fakes.world import make_world, under_lease

SAMPLING = "{strategy: margin, batch_size: 24, audit_rate: 0.25, explore_share: 0.25, seed: 7, max_open_tasks: 1000}"
N = 120


def world_of(tmp_path, shard_rows: int, strategy: str = "margin"):
    """Return a world of references with random ids, which come in shards of so many."""
    spec = re.sub(r"(?m)^sampling:.*$", f"sampling: {SAMPLING.replace('margin', strategy)}", SPEC)
    world = make_world(tmp_path, spec, settings={"shard_rows": shard_rows})
    rng = np.random.default_rng(3)
    refs = sorted(rng.bytes(16).hex() for _ in range(N))
    media = {"bucket": "media", "media_version": "v1", "state": "active"}
    write(
        world, "references", [media | {"ref_id": r, "key": f"digits/{r}/a.png", "etag": r, "size": 1} for r in refs]
    )
    told = {"model_version": "m", "media_version": "v1", "predicted": "1"}
    rows = [
        told | {"ref_id": ref, "probabilities": [p, 1 - p], "confidence": p, "embedding": rng.normal(size=3).tolist()}
        for ref, p in zip(refs, rng.uniform(0.5, 1, N), strict=True)
    ]
    write(world, "predictions", rows)
    return world


def run(world, across=None):
    return under_lease(world, "sample", lambda world, lease: choose_batch(world, lease, {}, across))


def travelled(thing):
    return pickle.loads(pickle.dumps(thing))  # noqa: S301 - as between processes of a cluster


def chosen(world, *strata: str) -> list[tuple[str, float]]:
    rows = world.table("batches").read()
    rows = rows.filter(pc.is_in(rows["stratum"], value_set=pa.array(strata)))
    return list(zip(rows["unit_id"].to_pylist(), rows["inclusion_probability"].to_pylist(), strict=True))


@pytest.mark.parametrize("strategy", ["margin", "k_center", "typiclust", "auto"])
def test_a_round_from_shards_has_the_same_audit_and_as_many_of_each_stratum(tmp_path, strategy):
    whole, shards = world_of(tmp_path / "whole", 1000, strategy), world_of(tmp_path / "shards", 20, strategy)
    assert (len(shards_of(whole)), len(shards_of(shards))) == (1, 6)
    assert run(whole).counts == run(shards).counts == {"chosen": 24}
    for stratum in ("audit", "explore", "exploit"):
        assert len(chosen(whole, stratum)) == len(chosen(shards, stratum))
    assert chosen(whole, "audit") == chosen(shards, "audit")
    assert {chance for _, chance in chosen(shards, "explore")} == {chance for _, chance in chosen(whole, "explore")}


def test_a_second_round_from_shards_chooses_nothing_twice(tmp_path):
    world = world_of(tmp_path, 20)
    run(world)
    first = {unit for unit, _ in chosen(world, "audit", "explore", "exploit")}
    record = current_round(world.hot, world.project)
    save_round(world.hot, world.project, record.model_copy(update={"state": "closed"}))
    run(world)
    both = [unit for unit, _ in chosen(world, "audit", "explore", "exploit")]
    assert len(both) == len(set(both)) == 48
    assert first < set(both)


def test_shards_are_worked_on_elsewhere_when_a_way_is_given_and_survive_the_journey(tmp_path):
    here, there = world_of(tmp_path / "here", 20), world_of(tmp_path / "there", 20)
    run(here)
    jobs = []

    def elsewhere(given):
        jobs.extend(given)
        return [travelled(find(there, travelled(job))) for job in reversed(given)]

    run(there, elsewhere)
    assert len(jobs) == 6
    for stratum in ("audit", "explore", "exploit"):
        assert sorted(chosen(here, stratum)) == sorted(chosen(there, stratum))


def test_every_reference_lies_in_one_shard(tmp_path):
    world = world_of(tmp_path, 20)
    table = world.table("references")
    found = [ref for shard in shards_of(world) for ref in table.read(where=shard.condition)["ref_id"].to_pylist()]
    assert sorted(found) == sorted(table.read()["ref_id"].to_pylist())
