"""What each strategy promises of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelloop.acquisition import SCORES
from labelloop.sampling import select
from labelloop.sampling.clusters import kmeans
from labelloop.sampling.coverage import farthest_first
from labelloop.sampling.stratified import allocate
from labelloop.vectors import lists_of
from tests.builders.pools import a_pool, refs

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
    cluster = kmeans(points, 3, rng)
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
