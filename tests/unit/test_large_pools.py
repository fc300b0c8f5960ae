"""What is done block by block or shard by shard gives what is done at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from labelloop.acquisition import SCORES, blocks, screen
from labelloop.sampling import compose_batch, facility_location, select, shards
from labelloop.sampling.facility_location import represented
from labelloop.sampling.round_shards import Wanted, shortlist_round, together
from labelloop.sampling.shards import Choice, select_from_shards, shortlist
from labelloop.spec.sampling import Objectives
from labelloop.vectors import lists_of


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(blocks, "NUMBERS", 64)


def distributions(n: int, k: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(k), size=n)


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("n", [0, 1, 11, 12, 13, 100])
def test_scores_of_blocks_are_those_of_single_rows(small_blocks, name, n):
    rows = distributions(n)
    alone = [SCORES[name](row[None])[0] for row in rows]
    assert SCORES[name](rows).tolist() == alone


def test_screening_in_blocks_finds_every_row_that_is_no_distribution(small_blocks):
    rows = distributions(100)
    rows[[3, 57]] = np.nan
    rows[98, 0] += 1.0
    assert np.flatnonzero(~screen(rows).accepted).tolist() == [3, 57, 98]
    assert screen(rows).refused == {"not_finite": 2, "not_summing_to_one": 1}


# shards


def a_pool(n: int = 900, *, seed: int = 0) -> pa.Table:
    """Clusters of embeddings, and probabilities so coarse that many scores tie."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(12, 4)) * 5
    return pa.table(
        {
            "ref_id": pa.array([f"{i:04d}" for i in rng.permutation(n)], pa.string()),
            "probabilities": lists_of(np.array([[0.5, 0.5], [0.75, 0.25], [0.9, 0.1]])[rng.integers(0, 3, n)]),
            "embedding": lists_of((middles[rng.integers(0, 12, n)] + rng.normal(size=(n, 4))).astype(np.float32)),
        }
    )


def in_shards(pool: pa.Table, count: int) -> list[pa.Table]:
    size = -(-len(pool) // count)
    return [pool.slice(start, size) for start in range(0, len(pool), size)]


def radius(pool: pa.Table, chosen: pa.Table) -> float:
    points = {
        ref: np.array(vector)
        for ref, vector in zip(*(pool[c].to_pylist() for c in ("ref_id", "embedding")), strict=True)
    }
    centres = np.array([points[ref] for ref in chosen["ref_id"].to_pylist()])
    return max(np.linalg.norm(centres - point, axis=1).min() for point in points.values())


@pytest.mark.parametrize("count", [1, 3, 45])
@pytest.mark.parametrize("strategy", ["margin", "entropy"])
def test_the_highest_of_shards_are_the_highest_of_the_pool_ties_included(strategy, count):
    pool = a_pool()
    assert select_from_shards(in_shards(pool, count), Choice(20, strategy, seed=3)).equals(
        select(pool, 20, strategy, seed=3)
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 9])
def test_centres_of_shards_cover_the_pool_within_twice_the_radius_of_one_machine(seed, count):
    pool = a_pool(seed=seed)
    merged = select_from_shards(in_shards(pool, count), Choice(15, "k_center", seed=seed))
    assert radius(pool, merged) <= 2 * radius(pool, select(pool, 15, "k_center", seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [2, 9])
def test_facilities_of_shards_stand_for_the_pool_nearly_as_well_as_those_of_one_machine(seed, count):
    pool = a_pool(seed=seed)
    points = np.array(pool["embedding"].to_pylist())
    place = {ref: row for row, ref in enumerate(pool["ref_id"].to_pylist())}

    def value(chosen: pa.Table) -> float:
        facilities = points[[place[ref] for ref in chosen["ref_id"].to_pylist()]]
        squared = ((points[:, None] - facilities) ** 2).sum(axis=2).min(axis=1)
        return float(np.exp(-squared / 4.0).sum())

    merged = select_from_shards(in_shards(pool, count), Choice(15, "facility_location", share=1 / count))
    assert value(merged) >= 0.95 * value(select(pool, 15, "facility_location"))


def test_facilities_of_shards_are_judged_by_those_who_stand_for_the_pool_and_not_by_each_other(monkeypatch):
    monkeypatch.setattr(facility_location, "REPRESENTED", 100)
    pool, choice = a_pool(), Choice(40, "facility_location", share=1 / 9)
    held = pa.concat_tables([shortlist(shard, choice) for shard in in_shards(pool, 9)])
    judges, whole = (set(rows["ref_id"].take(represented(rows["ref_id"])).to_pylist()) for rows in (held, pool))
    assert len(held) > 400  # more facilities than judges
    assert len(judges & whole) >= 85


def test_a_strategy_that_must_see_all_is_given_an_even_sample_of_the_shards(monkeypatch):
    monkeypatch.setattr(shards, "SAMPLE", 90)
    chosen = select_from_shards(in_shards(a_pool(), 9), Choice(10, "random", share=1 / 9))
    assert len(set(chosen["ref_id"].to_pylist())) == 10
    assert chosen["inclusion_probability"].to_pylist() == pytest.approx([10 / 900] * 10)


def test_no_shard_hands_on_more_than_was_asked_for():
    assert [len(shortlist(shard, Choice(7, "k_center"))) for shard in in_shards(a_pool(), 4)] == [7] * 4


def test_what_is_labelled_counts_as_covered_in_every_shard_and_is_not_chosen():
    pool = a_pool()
    labelled = pool.slice(0, 30)
    chosen = select_from_shards(in_shards(pool, 4), Choice(10, "k_center", labelled=labelled))
    assert not set(chosen["ref_id"].to_pylist()) & set(labelled["ref_id"].to_pylist())


# the batch of a round

ROUND = {"size": 40, "seed": 5, "round_number": 2, "salt": "p", "audit_rate": 0.2}


def batch_from_shards(pool: pa.Table, count: int, strategy: str) -> pa.Table:
    wanted = Wanted(strategy=strategy, share=1 / count, objectives=Objectives(), **ROUND)
    none = pool.slice(0, 0)
    lists = [shortlist_round(shard, wanted, none) for shard in in_shards(pool, count)]
    rows, open_rows = together(lists, ROUND["size"])
    return compose_batch(rows, strategy=strategy, explore_share=0.25, open_rows=open_rows, **ROUND)


def part(batch: pa.Table, stratum: str) -> list[str]:
    return batch.filter(pc.equal(batch["stratum"], stratum))["ref_id"].to_pylist()


@pytest.mark.parametrize("strategy", ["margin", "hybrid", "typiclust", "auto"])
def test_a_round_from_shards_has_the_audit_of_a_round_from_the_whole_pool_and_as_many_of_each_stratum(strategy):
    pool = a_pool()
    whole = compose_batch(pool, strategy=strategy, explore_share=0.25, **ROUND)
    merged = batch_from_shards(pool, 6, strategy)
    assert part(merged, "audit") == part(whole, "audit")
    assert merged["stratum"].to_pylist() == whole["stratum"].to_pylist()


@pytest.mark.slow
def test_what_a_round_explores_of_shards_is_an_even_draw_that_knows_its_chance():
    pool, times, counts = a_pool(60), 200, Counter()
    for number in range(times):
        wanted = Wanted(8, "margin", 5, number, "p", 0.0, 1 / 4, Objectives())
        shards_of = [pool.slice(0, 2), pool.slice(2, 30), pool.slice(32, 28)]
        rows, open_rows = together([shortlist_round(s, wanted, pool.slice(0, 0)) for s in shards_of], 8)
        asked = {"size": 8, "seed": 5, "round_number": number, "salt": "p", "audit_rate": 0.0}
        batch = compose_batch(rows, strategy="margin", explore_share=0.5, open_rows=open_rows, **asked)
        explored = batch.filter(pc.equal(batch["stratum"], "explore"))
        assert explored["inclusion_probability"].to_pylist() == pytest.approx([4 / 60] * 4)
        counts.update(explored["ref_id"].to_pylist())
    assert max(abs(counts[ref] - times * 4 / 60) for ref in pool["ref_id"].to_pylist()) < 17  # 4.8 deviations
