"""One suite every strategy must pass, then what each promises of its own, then the batch of a round."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from labelloop.acquisition import SCORES
from labelloop.errors import InputError
from labelloop.sampling import (
    STRATEGIES,
    backpressure,
    compose_batch,
    in_audit,
    permanent_numbers,
    queue_scores,
    refused_rows,
    select,
)
from labelloop.sampling.clusters import k_means
from labelloop.sampling.coverage import farthest_first
from labelloop.sampling.stratified import allocate
from labelloop.vectors import lists_of

EVERY = [*STRATEGIES, "auto"]
RANDOM = ["random", "stratified"]
COLUMNS = ["ref_id", "rank", "acquisition_score", "inclusion_probability", "reason"]


def a_pool(n: int = 60, *, seed: int = 0, classes: int = 3) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "ref_id": pa.array([f"{i:04d}" for i in range(n)], pa.string()),
            "probabilities": lists_of(rng.dirichlet(np.ones(classes), size=n)),
            "embedding": lists_of(rng.normal(size=(n, 4)).astype(np.float32)),
            "stratum": pa.array([f"s{i % 4}" for i in range(n)], pa.string()),
        }
    )


def refs(table: pa.Table) -> list[str]:
    return table["ref_id"].to_pylist()


# what every strategy must do


@pytest.mark.parametrize("strategy", EVERY)
def test_the_same_seed_gives_the_same_choice_in_whatever_order_the_pool_comes(strategy):
    pool = a_pool()
    shuffled = pool.take(np.random.default_rng(1).permutation(len(pool)))
    assert select(pool, 12, strategy, seed=5).equals(select(shuffled, 12, strategy, seed=5))


@pytest.mark.parametrize("strategy", EVERY)
def test_a_choice_has_the_promised_shape_and_no_reference_twice(strategy):
    pool = a_pool()
    chosen = select(pool, 12, strategy)
    assert chosen.column_names == COLUMNS
    assert len(set(refs(chosen))) == 12
    assert set(refs(chosen)) <= set(refs(pool))
    assert chosen["rank"].to_pylist() == list(range(12))
    assert all(chosen["reason"].to_pylist())


@pytest.mark.parametrize("strategy", EVERY)
def test_scores_never_rise_along_the_ranks(strategy):
    scores = select(a_pool(), 30, strategy)["acquisition_score"].drop_null().to_numpy()
    assert (np.diff(scores) <= 1e-6).all()
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("strategy", EVERY)
def test_greedy_picks_have_no_inclusion_probability_and_random_draws_no_score(strategy):
    chosen = select(a_pool(), 12, strategy)
    draw = strategy in RANDOM
    assert chosen["acquisition_score"].null_count == (12 if draw else 0)
    assert chosen["inclusion_probability"].null_count == (0 if draw else 12)


@pytest.mark.parametrize("strategy", EVERY)
@pytest.mark.parametrize("n", [0, 1, 59, 60, 61, 10_000])
def test_as_many_are_chosen_as_asked_for_and_there_are(strategy, n):
    assert len(select(a_pool(), n, strategy)) == min(n, 60)


@pytest.mark.parametrize("strategy", EVERY)
def test_an_empty_pool_gives_an_empty_table_of_the_same_shape(strategy):
    chosen = select(a_pool(0), 5, strategy)
    assert chosen.schema.remove_metadata() == select(a_pool(), 5, strategy).schema.remove_metadata()
    assert len(chosen) == 0


@pytest.mark.parametrize("strategy", EVERY)
def test_a_single_reference_is_chosen(strategy):
    assert refs(select(a_pool(1), 3, strategy)) == ["0000"]


@pytest.mark.parametrize("strategy", EVERY)
def test_references_that_are_all_alike_are_chosen_once_each(strategy):
    n = 25
    alike = {
        "ref_id": [f"{i:02d}" for i in range(n)],
        "probabilities": [[0.5, 0.5]] * n,
        "embedding": [[1.0, 2.0]] * n,
        "stratum": ["s"] * n,
    }
    assert len(set(refs(select(pa.table(alike), 20, strategy)))) == 20


@pytest.mark.parametrize("strategy", EVERY)
def test_what_is_labelled_is_never_chosen_again(strategy):
    pool = a_pool()
    labelled = pool.slice(0, 50)
    assert set(refs(select(pool, 60, strategy, labelled=labelled))) == {f"{i:04d}" for i in range(50, 60)}


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs - {"stratum"}])
def test_rows_with_nan_are_left_out_and_counted(strategy):
    pool = a_pool(10)
    for name in ("probabilities", "embedding"):
        lists = pool[name].to_pylist()
        lists[3] = [math.nan, *lists[3][1:]]
        pool = pool.set_column(pool.schema.get_field_index(name), name, pa.array(lists))
    chosen = select(pool, 10, strategy)
    assert "0003" not in refs(chosen)
    assert len(chosen) == 9
    assert set(refused_rows(chosen)) == {f"{column} not_finite" for column in STRATEGIES[strategy].needs}


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs])
def test_a_column_the_strategy_needs_and_the_pool_lacks_is_named_before_any_work(strategy):
    for column in STRATEGIES[strategy].needs:
        with pytest.raises(InputError, match=f"needs {column}"):
            select(a_pool().drop_columns([column]), 5, strategy)


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if STRATEGIES[s].needs])
def test_a_needed_column_of_nulls_counts_as_lacking(strategy):
    pool = a_pool()
    for column in STRATEGIES[strategy].needs:
        nulls = pa.nulls(len(pool), pool.schema.field(column).type)
        empty = pool.set_column(pool.schema.get_field_index(column), column, nulls)
        with pytest.raises(InputError, match=f"needs {column}"):
            select(empty, 5, strategy)


@pytest.mark.parametrize(
    ("pool", "n", "strategy", "seed", "message"),
    [
        (a_pool(3), -1, "random", 0, "number to select is -1"),
        (a_pool(3), 1, "random", -1, "seed is -1"),
        (a_pool(3), 1, "astrology", 0, "no strategy 'astrology'"),
        (a_pool(3).drop_columns(["ref_id"]), 1, "random", 0, "no column ref_id"),
        (pa.concat_tables([a_pool(3)] * 2), 1, "random", 0, "3 rows of the pool repeat"),
        (pa.table({"ref_id": pa.array(["a", None])}), 1, "random", 0, "1 rows of the pool have no ref_id"),
    ],
)
def test_an_impossible_selection_is_an_error_that_says_what_is_wrong(pool, n, strategy, seed, message):
    with pytest.raises(InputError, match=message):
        select(pool, n, strategy, seed=seed)


# inclusion probabilities


@pytest.mark.repeated
@pytest.mark.parametrize(("strategy", "n"), [("random", 3), ("stratified", 7), ("stratified", 2)])
def test_inclusion_probabilities_are_what_repeated_draws_show(strategy, n):
    strata = ["a"] * 8 + ["b"] * 3 + ["c"]
    pool = pa.table({"ref_id": [f"{i:02d}" for i in range(12)], "stratum": strata})
    draws, seen, said = 1000, np.zeros(12), np.full(12, np.nan)
    for seed in range(draws):
        chosen = select(pool, n, strategy, seed=seed)
        rows = [int(ref) for ref in refs(chosen)]
        seen[rows] += 1
        said[rows] = chosen["inclusion_probability"].to_numpy()
    error = np.sqrt(said * (1 - said) / draws)
    assert (np.abs(seen / draws - said) <= 4.5 * error).all()
    assert said.sum() == pytest.approx(n)


# stratified


def test_each_stratum_gets_one_before_any_gets_more():
    strata = ["big"] * 95 + ["small"] * 3 + ["tiny"] + [None]
    pool = pa.table({"ref_id": [f"{i:03d}" for i in range(100)], "stratum": strata})
    for n, kinds in ((4, {"big", "small", "tiny", None}), (10, {"big", "small", "tiny", None})):
        chosen = [strata[int(ref)] for ref in refs(select(pool, n, "stratified"))]
        assert set(chosen) == kinds
        assert len(chosen) == n


def test_omitted_strata_are_named_when_there_are_fewer_picks_than_strata():
    pool = pa.table({"ref_id": list("abc"), "stratum": ["cat", "dog", "emu"]})
    chosen = select(pool, 2, "stratified", seed=3)
    (left_out,) = {"cat", "dog", "emu"} - {pool["stratum"][ord(ref) - ord("a")].as_py() for ref in refs(chosen)}
    assert all(reason.endswith(f"omitted: {left_out}") for reason in chosen["reason"].to_pylist())


def test_a_thousand_omitted_strata_do_not_flood_the_reason():
    pool = pa.table({"ref_id": [f"{i}" for i in range(1000)], "stratum": [f"s{i}" for i in range(1000)]})
    reason = select(pool, 1, "stratified")["reason"][0].as_py()
    assert reason.endswith("and 989 more")
    assert len(reason) < 200


def test_allocation_spends_everything_and_never_more_than_a_stratum_has():
    rng = np.random.default_rng(0)
    for _ in range(200):
        sizes = rng.integers(1, 30, size=rng.integers(1, 8))
        n = int(rng.integers(len(sizes), sizes.sum() + 1))
        quota = allocate(sizes, n)
        assert quota.sum() == n
        assert ((quota >= 1) & (quota <= sizes)).all()
        assert (np.abs(quota - 1 - (n - len(sizes)) * (sizes - 1) / max(1, (sizes - 1).sum())) < 1).all()


# uncertainty


@pytest.mark.parametrize("strategy", SCORES)
def test_uncertainty_takes_the_highest_scores(strategy):
    pool = a_pool(200)
    scores = SCORES[strategy](np.array(pool["probabilities"].to_pylist()))
    best = np.argsort(-scores)[:10]
    assert refs(select(pool, 10, strategy)) == [f"{i:04d}" for i in best]


def test_ties_at_the_threshold_are_drawn_evenly():
    pool = pa.table({"ref_id": list("abcdef"), "probabilities": [[0.5, 0.5]] * 6})
    seen = [refs(select(pool, 1, "margin", seed=seed))[0] for seed in range(600)]
    assert all(60 < seen.count(ref) < 145 for ref in "abcdef")


# diversity


def plain_greedy(points, n, weights, covered):
    nearest = np.min([((points - c) ** 2).sum(axis=1) for c in covered], axis=0)
    rows = []
    for _ in range(n):
        gains = weights * np.sqrt(nearest)
        gains[rows] = -1
        rows.append(int(gains.argmax()))
        nearest = np.minimum(nearest, ((points - points[rows[-1]]) ** 2).sum(axis=1))
    return rows


@pytest.mark.parametrize("short_list", [2, 16, 4096])
@pytest.mark.parametrize("weighted", [False, True])
def test_blocked_greedy_makes_the_picks_of_the_plain_one(monkeypatch, short_list, weighted):
    monkeypatch.setattr("labelloop.sampling.coverage.SHORT_LIST", short_list)
    monkeypatch.setattr("labelloop.sampling.coverage.BLOCK", 64)
    monkeypatch.setattr("labelloop.sampling.coverage.CENTRES", 3)
    rng = np.random.default_rng(4)
    points, covered = rng.normal(size=(400, 6)).astype("f4"), rng.normal(size=(7, 6)).astype("f4")
    weights = rng.random(400).astype("f4") if weighted else None
    rows, _ = farthest_first(points, 60, first=0, weights=weights, covered=covered)
    assert rows.tolist() == plain_greedy(points, 60, np.ones(400) if weights is None else weights, covered)


def test_k_center_goes_where_nothing_is_labelled():
    pool = pa.table({"ref_id": list("abc"), "embedding": [[0.0, 0.0], [0.1, 0.0], [9.0, 9.0]]})
    labelled = pa.table({"ref_id": ["z"], "embedding": [[0.0, 0.1]]})
    assert refs(select(pool, 1, "k_center", labelled=labelled)) == ["c"]


def test_a_common_offset_of_the_embedding_does_not_change_the_choice():
    pool = a_pool(200)
    moved = lists_of(np.array(pool["embedding"].to_pylist()) + 4096.0)
    away = pool.set_column(pool.schema.get_field_index("embedding"), "embedding", moved)
    for strategy in ("k_center", "hybrid"):
        assert refs(select(away, 20, strategy)) == refs(select(pool, 20, strategy))


def test_hybrid_takes_neither_the_sure_nor_the_twin():
    pool = pa.table(
        {
            "ref_id": ["doubt", "far", "sure", "twin"],
            "probabilities": [[0.5, 0.5], [0.6, 0.4], [1.0, 0.0], [0.5, 0.5]],
            "embedding": [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.001]],
        }
    )
    assert set(refs(select(pool, 2, "hybrid"))) & {"sure"} == set()
    assert len(set(refs(select(pool, 2, "hybrid"))) & {"doubt", "twin"}) == 1


def test_typicality_takes_the_middle_of_each_cluster_and_the_largest_first():
    rng = np.random.default_rng(0)
    sizes, centres = (60, 30, 10), np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    points = np.repeat(centres, sizes, axis=0) + rng.normal(size=(100, 2))
    points[0] = [0.0, 12.0]  # an outlier of the largest cluster
    pool = pa.table({"ref_id": [f"{i:03d}" for i in range(100)], "embedding": points.tolist()})
    chosen = [int(ref) for ref in refs(select(pool, 3, "typiclust"))]
    assert np.searchsorted(np.cumsum(sizes), chosen, side="right").tolist() == [0, 1, 2]
    assert (np.linalg.norm(points[chosen] - centres, axis=1) < 1.2).all()


def test_typicality_leaves_clusters_that_have_labels_for_later():
    pool = pa.table({"ref_id": list("abcd"), "embedding": [[0.0], [0.1], [0.2], [9.0]]})
    labelled = pa.table({"ref_id": ["z"], "embedding": [[0.15]]})
    assert refs(select(pool, 1, "typiclust", labelled=labelled)) == ["d"]


def test_k_means_finds_clusters_that_are_plain_to_see():
    rng = np.random.default_rng(0)
    points = (np.repeat([[0.0, 0.0], [90.0, 0.0], [0.0, 90.0]], 40, axis=0) + rng.normal(size=(120, 2))).astype("f4")
    cluster = k_means(points, 3, rng)
    assert [len(set(cluster[start : start + 40])) for start in (0, 40, 80)] == [1, 1, 1]
    assert len(set(cluster)) == 3


# auto


def test_auto_is_typicality_while_labels_are_few_and_hybrid_then():
    pool = a_pool(classes=3)
    few, enough = (select(pool, 1, "auto", labels_count=count)["reason"][0].as_py() for count in (29, 30))
    assert few.startswith("auto, 29 labels are few for 3 classes: most typical")
    assert enough.startswith("auto, 30 labels for 3 classes: margin")
    assert "uncertainty x distance" in enough


@pytest.mark.parametrize(
    ("dropped", "count", "same_as"),
    [
        (["probabilities"], 99, "typiclust"),
        (["embedding"], 99, "margin"),
        (["embedding"], 0, "random"),
        (["embedding", "probabilities"], 99, "random"),
    ],
)
def test_auto_does_with_what_the_pool_has(dropped, count, same_as):
    pool = a_pool().drop_columns(dropped)
    assert refs(select(pool, 9, "auto", labels_count=count)) == refs(select(pool, 9, same_as))


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


@pytest.mark.parametrize("strategy", EVERY)
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
