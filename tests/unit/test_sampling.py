"""Audit membership, the batch of a round, and the order in which it is served."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from labelloop.errors import InputError
from labelloop.sampling import (
    Again,
    Limits,
    backpressure,
    compose_batch,
    in_audit,
    permanent_numbers,
    queue_scores,
    refused_rows,
)
from labelloop.spec.sampling import NearDuplicates, Quotas
from tests.builders.pools import EVERY_STRATEGY, a_pool, refs

COLUMNS = ["ref_id", "rank", "acquisition_score", "inclusion_probability", "reason"]


# audit


def test_permanent_numbers_never_change():
    assert permanent_numbers(pa.array(["a", "b"]), "salt").tolist() == [0.11471063941841575, 0.23740521252589197]


def test_permanent_numbers_are_uniform_and_differ_by_salt():
    keys = pa.array([f"{i}" for i in range(20_000)])
    numbers, others = permanent_numbers(keys, "one"), permanent_numbers(keys, "two")
    assert np.histogram(numbers, bins=20, range=(0, 1))[0] == pytest.approx(np.full(20, 1000), abs=150)
    assert abs(np.corrcoef(numbers, others)[0, 1]) < 0.03


def test_audit_membership_is_permanent_and_a_higher_rate_only_adds():
    keys = pa.array([f"{i}" for i in range(500)])
    low, high = in_audit(keys, "s", 0.1), in_audit(keys, "s", 0.3)
    assert (high | ~low).all()
    assert in_audit(keys.take(np.arange(499, -1, -1)), "s", 0.1).tolist() == low[::-1].tolist()


# the batch of a round


def compose(pool, **changes):
    usual = {"size": 50, "strategy": "margin", "seed": 3, "round_number": 1, "salt": "s"}
    return compose_batch(pool, **(usual | {"audit_rate": 0.2, "explore_share": 0.1} | changes))


def members(batch: pa.Table, stratum: str) -> list[str]:
    return [row["ref_id"] for row in batch.to_pylist() if row["stratum"] == stratum]


def test_a_batch_has_its_shares_and_says_how_each_was_drawn():
    pool = a_pool(500)
    batch = compose(pool)
    assert [len(members(batch, s)) for s in ("exploit", "explore", "audit")] == [35, 5, 10]
    assert batch.column_names == [*COLUMNS[:2], "stratum", "strategy", *COLUMNS[2:], "seed"]
    rest = 500 - int(in_audit(pool["ref_id"], "s", 0.2).sum())
    chance = {"exploit": None, "explore": pytest.approx(5 / rest), "audit": 0.2}
    way = {"exploit": "margin", "explore": "random", "audit": "permanent_random"}
    for row in batch.to_pylist():
        assert row["inclusion_probability"] == chance[row["stratum"]]
        assert row["strategy"] == way[row["stratum"]]
        assert row["seed"] == 3
    assert len(set(refs(batch))) == 50
    assert batch["rank"].to_pylist() == list(range(50))


@pytest.mark.parametrize("strategy", EVERY_STRATEGY)
def test_audit_members_are_never_exploited_or_explored_by_any_strategy(strategy):
    pool = a_pool(80)
    audited = {ref for ref, inside in zip(refs(pool), in_audit(pool["ref_id"], "s", 0.2), strict=True) if inside}
    batch = compose(pool, size=80, strategy=strategy)
    assert set(members(batch, "audit")) <= audited
    assert not audited & {*members(batch, "exploit"), *members(batch, "explore")}
    assert set(members(batch, "exploit")) | set(members(batch, "explore")) == set(refs(pool)) - audited


def test_rounds_serve_the_audit_in_the_order_of_permanent_numbers_until_all_are_served():
    pool = a_pool(300)
    numbers = dict(zip(refs(pool), permanent_numbers(pool["ref_id"], "s"), strict=True))
    served, asked = [], pool.slice(0, 0)
    for number in range(1, 7):
        batch = compose(pool, round_number=number, labelled=asked)
        assert not set(refs(batch)) & set(refs(asked))
        served += members(batch, "audit")
        asked = pool.filter(pa.compute.is_in(pool["ref_id"], pa.array([*refs(asked), *refs(batch)])))
    assert served == sorted((ref for ref in numbers if numbers[ref] < 0.2), key=numbers.get)[: len(served)]
    assert len(served) >= 50


def test_explore_differs_from_round_to_round_and_not_from_run_to_run():
    pool = a_pool(300)
    first, again, later = compose(pool), compose(pool), compose(pool, round_number=2)
    assert first.equals(again)
    assert set(members(first, "explore")) != set(members(later, "explore"))


def test_the_exploit_part_keeps_away_from_what_is_explored_beside_it():
    pool = pa.table({"ref_id": ["a", "b", "c"], "embedding": [[0.0], [0.01], [5.0]]})
    for seed in range(10):
        batch = compose(pool, size=2, strategy="k_center", seed=seed, audit_rate=0.0, explore_share=0.5)
        assert set(refs(batch)) != {"a", "b"}


def test_labelled_embeddings_of_another_precision_are_understood():
    pool = a_pool(100)
    labelled = pa.table({"ref_id": ["x"], "embedding": pa.array([[0.0] * 4], pa.list_(pa.float64()))})
    assert len(compose(pool, strategy="hybrid", labelled=labelled)) == 50


def test_auto_is_recorded_under_the_strategy_it_became():
    assert set(compose(a_pool(300), strategy="auto", explore_share=0.0)["strategy"].to_pylist()) == {
        "typiclust",
        "permanent_random",
    }


def test_a_pool_smaller_than_the_batch_and_an_empty_one_are_no_error():
    assert len(compose(a_pool(5), audit_rate=0.0)) == 5
    assert len(compose(a_pool(0))) == 0
    assert len(compose(a_pool(5), size=0)) == 0


def test_refused_rows_of_the_exploited_are_counted():
    pool = a_pool(20).set_column(1, "probabilities", pa.array([[0.5, 0.5]] * 19 + [[math.nan, 1.0]]))
    batch = compose(pool, audit_rate=0.0, explore_share=0.0)
    assert refused_rows(batch) == {"probabilities not_finite": 1}


@pytest.mark.parametrize(
    "wrong",
    [{"audit_rate": -0.1}, {"explore_share": 0.9}, {"audit_rate": math.nan}, {"size": -1}, {"seed": -1}],
)
def test_impossible_shares_and_sizes_are_named(wrong):
    with pytest.raises(InputError):
        compose(a_pool(5), **wrong)


# asked again, limits and hours


def test_gold_and_repeats_have_their_shares_and_are_drawn_evenly_from_what_was_asked_about():
    pool, asked = a_pool(300), pa.table({"ref_id": [f"old{i}" for i in range(40)]})
    batch = compose(pool, gold=Again(asked.slice(0, 20), 0.1), repeats=Again(asked.slice(20), 0.06), labelled=asked)
    sizes = {stratum: len(members(batch, stratum)) for stratum in ("exploit", "explore", "audit", "gold", "repeat")}
    assert sizes == {"exploit": 27, "explore": 5, "audit": 10, "gold": 5, "repeat": 3}
    assert set(members(batch, "gold")) <= {f"old{i}" for i in range(20)}
    assert set(members(batch, "repeat")) <= {f"old{i}" for i in range(20, 40)}
    rows = {row["stratum"]: row for row in batch.to_pylist()}
    assert rows["gold"]["inclusion_probability"] == pytest.approx(5 / 20)
    assert rows["repeat"]["reason"] == "repeat: random draw of 3 from 20"


def test_without_anything_to_ask_again_the_places_go_to_the_exploited():
    nobody = Again(pa.table({"ref_id": pa.array([], pa.string())}), 0.2)
    assert len(members(compose(a_pool(300), gold=nobody), "exploit")) == 35


def test_asking_again_changes_neither_the_audit_nor_the_explored():
    pool, asked = a_pool(300), pa.table({"ref_id": ["old1", "old2"]})
    plain, more = compose(pool), compose(pool, repeats=Again(asked, 0.04))
    for stratum in ("audit", "explore"):
        assert members(more, stratum) == members(plain, stratum)


def test_limits_bind_the_exploited_and_leave_random_draws_random():
    pool = a_pool(300).append_column("digest", pa.array([f"d{i // 10}" for i in range(300)]))
    limits = Limits(near=NearDuplicates(), quotas=Quotas(stratum=6))
    free, bound = compose(pool), compose(pool, limits=limits)
    for stratum in ("audit", "explore"):
        assert members(bound, stratum) == members(free, stratum)
    beside = {int(ref) // 10 for s in ("audit", "explore") for ref in members(bound, s)}
    exploited = [int(ref) // 10 for ref in members(bound, "exploit")]
    assert len(set(exploited)) == len(exploited)
    assert not set(exploited) & beside
    assert refused_rows(bound)["near_duplicate"] > 0


def test_hours_cut_the_batch_to_what_they_pay():
    pool = a_pool(300)
    costs = dict(zip(refs(pool), pool["cost"].to_pylist(), strict=True))
    batch = compose(pool, limits=Limits(hours=25.0))
    mean = np.mean(list(costs.values()))
    drawn = sum(len(members(batch, stratum)) for stratum in ("audit", "explore"))
    assert 10 < len(batch) <= 25 / mean + 1
    assert sum(costs[ref] for ref in members(batch, "exploit")) <= 25.0 - drawn * mean + 1e-6
    assert len(compose(pool, limits=Limits(hours=0.1))) == 0


# the queue


def test_a_cold_start_serves_the_exploited_by_rank_and_stays_inside_zero_and_one():
    batch = compose(a_pool(500))
    scores = queue_scores(batch, None, seed=0)
    exploit = [i for i, stratum in enumerate(batch["stratum"].to_pylist()) if stratum == "exploit"]
    assert scores[exploit] == pytest.approx((np.arange(35) + 0.5) / 35)
    assert ((scores > 0) & (scores < 1)).all()


def test_the_exploited_keep_the_confidence_of_the_model():
    batch = compose(a_pool(500))
    confidence = np.random.default_rng(0).random(50)
    scores = queue_scores(batch, confidence, seed=0)
    assert scores[:35] == pytest.approx(confidence[:35])
    assert scores[35:].min() >= confidence[:35].min()
    assert scores[35:].max() <= confidence[:35].max()


def test_the_place_in_the_queue_does_not_tell_an_audit():
    batch = compose(a_pool(500))
    confidence = np.random.default_rng(0).beta(8, 2, size=50)
    places = np.array([queue_scores(batch, confidence, seed=s).argsort().argsort() for s in range(400)])
    audit = np.array(batch["stratum"].to_pylist()) == "audit"
    assert places[:, audit].mean() == pytest.approx(24.5, abs=1.0)
    assert places[:, audit].std() == pytest.approx(np.arange(50).std(), abs=1.5)


def in_blocks(audit: int = 0) -> tuple[pa.Table, np.ndarray]:
    """Three blocks of twenty units that the model is equally sure of, and behind them the audit."""
    stratum = ["exploit"] * 60 + ["audit"] * audit
    return pa.table({"stratum": stratum, "rank": range(60 + audit)}), np.repeat([0.0, 0.5, 1.0], (20, 20, 20 + audit))


def test_equal_confidence_is_shuffled_by_the_seed_within_its_block_and_ascends_across_blocks():
    batch, confidence = in_blocks()
    first, again, other = (queue_scores(batch, confidence, seed) for seed in (1, 1, 2))
    assert first.tolist() == again.tolist()
    for scores in (first, other):
        assert len(set(scores)) == 60
        assert (np.diff(confidence[scores.argsort()]) >= 0).all()
    for block in (slice(0, 20), slice(20, 40), slice(40, 60)):
        orders = [np.arange(20).tolist(), first[block].argsort().tolist(), other[block].argsort().tolist()]
        assert orders[0] != orders[1] != orders[2] != orders[0]


def test_the_audit_lies_at_random_places_within_and_between_blocks_of_equal_confidence():
    batch, confidence = in_blocks(audit=30)
    places = np.array([queue_scores(batch, confidence, seed).argsort().argsort() for seed in range(400)])
    assert places[:, 60:].mean(axis=0) == pytest.approx(np.full(30, 44.5), abs=5.0)
    assert places[:, 60:].std() == pytest.approx(np.arange(90).std(), abs=1.5)


def test_a_row_without_a_confidence_gets_a_place_all_the_same():
    batch = compose(a_pool(500))
    confidence = np.full(50, 0.7)
    confidence[0], confidence[40] = np.nan, np.nan
    assert queue_scores(batch, confidence, seed=0) == pytest.approx(np.full(50, 0.7))
    assert queue_scores(batch, np.full(50, np.nan), 0).tolist() == queue_scores(batch, None, 0).tolist()


def test_an_empty_batch_and_one_without_exploited_have_places_too():
    assert queue_scores(compose(a_pool(0)), None, seed=0).shape == (0,)
    audit_only = compose(a_pool(500), audit_rate=1.0, explore_share=0.0)
    assert len(set(queue_scores(audit_only, np.full(50, 0.5), seed=0))) == 50


@pytest.mark.parametrize(("open_tasks", "size"), [(0, 100), (50, 70), (120, 0), (500, 0)])
def test_open_work_bounds_the_next_batch_and_the_reason_says_so(open_tasks, size):
    got, reason = backpressure(100, open_tasks, 120)
    assert got == size
    assert reason == f"{size} of 100: {open_tasks} tasks are open and at most 120 may be"


def test_references_of_one_group_are_all_in_the_audit_or_none_is():
    pool = pa.table({"ref_id": [f"{i:03d}" for i in range(300)], "group": [f"subject-{i // 3}" for i in range(300)]})
    batch = compose_batch(
        pool, size=300, strategy="random", seed=0, round_number=1, salt="s", audit_rate=0.3, explore_share=0.1
    ).to_pylist()
    audited = {int(row["ref_id"]) // 3 for row in batch if row["stratum"] == "audit"}
    others = {int(row["ref_id"]) // 3 for row in batch if row["stratum"] != "audit"}
    assert audited
    assert not audited & others
