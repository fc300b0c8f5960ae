"""What each strategy promises of its own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from labelloop.acquisition import SCORES
from labelloop.errors import InputError
from labelloop.sampling import refused_rows, select
from labelloop.sampling.clusters import kmeans
from labelloop.sampling.coverage import farthest_first
from labelloop.sampling.density import information_density
from labelloop.sampling.evidence import Gain
from labelloop.sampling.facility_location import cover, neighbour_graph
from labelloop.sampling.gradients import Gradients
from labelloop.sampling.stochastic import inclusion
from labelloop.sampling.stratified import allocate
from labelloop.spec.sampling import Objectives
from labelloop.vectors import lists_of
from tests.builders.pools import a_pool, refs

# inclusion probabilities


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_auto_is_typicality_while_labels_are_few_and_herding_then():
    pool = a_pool(classes=3)
    few, enough = (select(pool, 1, "auto", labels_count=count)["reason"][0].as_py() for count in (5, 6))
    assert few.startswith("auto, 5 labels are few for 3 classes: most typical")
    assert enough.startswith("auto, 6 labels for 3 classes: margin")
    assert "more of the pool's doubt" in enough


HARM, DOUBT = Gain("herding", -0.05, -0.09, -0.01, 80), Gain("herding", -0.05, -0.11, 0.01, 80)


def test_auto_goes_back_to_diversity_with_evidence_only_and_says_so():
    pool = a_pool()
    harmed, doubted = (select(pool, 9, "auto", labels_count=99, evidence=gain) for gain in (HARM, DOUBT))
    assert refs(harmed) == refs(select(pool, 9, "typiclust"))
    assert (
        harmed["reason"][0].as_py().startswith("auto, back to diversity since the last herding batch gained -0.050")
    )
    assert refs(doubted) == refs(select(pool, 9, "herding"))
    assert "-0.050 [-0.110, +0.010] over random labels on 80 audit units" in doubted["reason"][0].as_py()


def test_diversity_that_taught_less_than_chance_is_not_answered_with_more_of_it():
    pool = a_pool()
    harm = HARM._replace(strategy="typiclust")
    assert refs(select(pool, 9, "auto", labels_count=99, evidence=harm)) == refs(select(pool, 9, "herding"))


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


# stochastic


@pytest.mark.parametrize(("n", "spread"), [(10, 1.0), (30, 2.0)])
@pytest.mark.slow
def test_the_stated_chance_of_a_stochastic_draw_is_what_4000_draws_show(n, spread):
    weights = np.exp(np.random.default_rng(1).normal(scale=spread, size=80))
    rng, seen = np.random.default_rng(0), np.zeros(80)
    for _ in range(4000):
        seen[np.argsort(-(np.log(weights) + rng.gumbel(size=80)))[:n]] += 1
    said = inclusion(weights, n)
    assert said.sum() == pytest.approx(n)
    assert np.abs(seen / 4000 - said).max() < 0.01 + 4 * np.sqrt(0.25 / 4000)
    assert np.abs(seen / 4000 - said).mean() < 0.008


def test_stochastic_draws_follow_its_chances_and_weighted_by_them_count_the_pool():
    pool = a_pool(200)
    draws = [select(pool, 40, "stochastic", seed=seed) for seed in range(60)]
    sizes = [float((1 / draw["inclusion_probability"].to_numpy()).sum()) for draw in draws]
    assert np.mean(sizes) == pytest.approx(200, rel=0.05)
    doubt = np.mean([draw["acquisition_score"].to_numpy().mean() for draw in draws])
    assert doubt > SCORES["margin"](np.array(pool["probabilities"].to_pylist())).mean()


def test_rows_without_doubt_are_drawn_last_and_their_chance_is_what_the_others_leave():
    assert inclusion(np.array([1.0, 2.0, 0.0, 0.0]), 3).tolist() == [1.0, 1.0, 0.5, 0.5]
    sure = pa.table({"ref_id": list("abc"), "probabilities": [[1.0, 0.0], [0.6, 0.4], [1.0, 0.0]]})
    assert refs(select(sure, 2, "stochastic"))[0] == "b"


def test_chances_are_sums_of_n_whatever_the_weights():
    for weights in (np.ones(7), np.array([1e-12, 1.0, 1e12]), np.geomspace(1e-8, 1, 50)):
        for n in (1, 2):
            chances = inclusion(weights, n)
            assert chances.sum() == pytest.approx(n, abs=1e-6)
            assert ((chances > 0) & (chances <= 1)).all()


# density


def test_density_weighting_leaves_an_outlier_for_a_common_doubt():
    common, outlier = [[1.0, 0.1 * i] for i in range(9)], [-9.0, 0.0]
    pool = pa.table(
        {
            "ref_id": [f"{i}" for i in range(10)],
            "probabilities": [[0.5, 0.5]] * 10,
            "embedding": [*common, outlier],
        }
    )
    assert refs(select(pool, 10, "density"))[-1] == "9"


def test_density_is_the_mean_similarity_to_every_other():
    points = np.random.default_rng(0).normal(size=(40, 3))
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert information_density(points) == pytest.approx(((1 + unit @ unit.T) / 2).mean(axis=1))


# badge


def test_gradient_distances_are_those_of_the_gradients_written_out():
    rng = np.random.default_rng(0)
    probabilities, points = rng.dirichlet(np.ones(3), size=20), rng.normal(size=(20, 4)).astype("f4")
    gradients = Gradients(probabilities, points)
    errors = probabilities - np.eye(3)[probabilities.argmax(axis=1)]
    scaled = np.hstack([points / np.sqrt((points**2).sum(axis=1).mean()), np.ones((20, 1))])
    written = np.einsum("nk,nd->nkd", errors, scaled).reshape(20, -1)
    assert gradients.distances(5) == pytest.approx(((written - written[5]) ** 2).sum(axis=1), abs=1e-4)
    assert gradients.lengths == pytest.approx((written**2).sum(axis=1), abs=1e-4)


def centred(pool: pa.Table) -> np.ndarray:
    points = np.array(pool["embedding"].to_pylist(), dtype="f4")
    return points - points.mean(axis=0)


def test_badge_begins_with_the_longest_gradient_and_takes_sure_rows_but_once():
    rng = np.random.default_rng(0)
    sure, unsure = [[1.0, 0.0]] * 30, [[0.5 + 0.01 * i, 0.5 - 0.01 * i] for i in range(10)]
    pool = pa.table(
        {
            "ref_id": [f"{i:02d}" for i in range(40)],
            "probabilities": sure + unsure,
            "embedding": rng.normal(size=(40, 3)).tolist(),
        }
    )
    chosen = [int(ref) for ref in refs(select(pool, 10, "badge", seed=1))]
    lengths = Gradients(np.array(sure + unsure), centred(pool)).lengths
    assert chosen[0] == lengths.argmax()
    assert sum(row < 30 for row in chosen) <= 1  # all sure rows have the gradient zero


@pytest.mark.slow
def test_badge_is_a_draw_in_proportion_to_squared_distance():
    pool = pa.table(
        {
            "ref_id": list("abc"),
            "probabilities": [[0.5, 0.5], [0.9, 0.1], [0.8, 0.2]],
            "embedding": [[3.0], [0.0], [0.0]],
        }
    )
    gradients = Gradients(np.array([[0.5, 0.5], [0.9, 0.1], [0.8, 0.2]]), np.array([[2.0], [-1.0], [-1.0]], "f4"))
    second, third = gradients.distances(0)[1:]
    drawn = [refs(select(pool, 2, "badge", seed=seed))[1] for seed in range(400)]
    assert drawn.count("b") / 400 == pytest.approx(second / (second + third), abs=0.08)


# k-means representatives and facility location


def three_clusters() -> tuple[pa.Table, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]])
    points = np.repeat(centres, (60, 30, 10), axis=0) + rng.normal(size=(100, 2))
    return pa.table({"ref_id": [f"{i:03d}" for i in range(100)], "embedding": points.tolist()}), points


@pytest.mark.parametrize("strategy", ["k_means", "facility_location"])
def test_one_reference_stands_for_each_cluster(strategy):
    pool, _ = three_clusters()
    chosen = [int(ref) for ref in refs(select(pool, 3, strategy))]
    assert sorted(np.searchsorted([60, 90, 100], chosen, side="right").tolist()) == [0, 1, 2]


@pytest.mark.parametrize("strategy", ["k_means", "facility_location"])
def test_a_labelled_cluster_waits_for_the_others(strategy):
    pool, _ = three_clusters()
    labelled = pool.slice(0, 20)
    chosen = [int(ref) for ref in refs(select(pool, 2, strategy, labelled=labelled))]
    assert min(chosen) >= 60


def test_k_means_takes_the_nearest_to_the_middle():
    pool, points = three_clusters()
    chosen = [int(ref) for ref in refs(select(pool, 3, "k_means"))]
    bounds = [0, 60, 90, 100]
    for row in chosen:
        place = int(np.searchsorted(bounds, row, side="right"))
        mates = points[bounds[place - 1] : bounds[place]]
        distances = np.linalg.norm(mates - mates.mean(axis=0), axis=1)
        assert np.linalg.norm(points[row] - mates.mean(axis=0)) == pytest.approx(distances.min(), abs=1e-4)


def test_the_cover_is_that_of_the_plain_greedy():
    rng = np.random.default_rng(0)
    similarity = np.where(rng.random((60, 40)) < 0.3, rng.random((60, 40)), 0.0)
    standing = rng.random(60) * 0.2
    columns, gains = cover(csr_array(similarity), 12, standing)
    best = standing.copy()
    for column, gain in zip(columns, gains, strict=True):
        rises = np.maximum(similarity - best[:, None], 0).sum(axis=0)
        assert rises[column] == pytest.approx(rises.max())
        assert gain == pytest.approx(rises.max())
        best = np.maximum(best, similarity[:, column])


def test_the_neighbour_graph_of_a_small_pool_is_exact(monkeypatch):
    monkeypatch.setattr("labelloop.sampling.facility_location.NEIGHBOURS", 5)
    monkeypatch.setattr("labelloop.sampling.facility_location.CELLS", 100)
    points = np.random.default_rng(0).normal(size=(30, 3)).astype("f4")
    graph = neighbour_graph(points, np.arange(30))
    squared = ((points[:, None] - points) ** 2).sum(axis=2)
    near = np.sort(np.argsort(squared, axis=1)[:, :5], axis=1)
    assert np.sort(graph.similarity.indices.reshape(30, 5), axis=1).tolist() == near.tolist()
    expected = np.exp(-squared[3, near[3]] / graph.scale**2)
    assert graph.similarity.toarray()[3, near[3]] == pytest.approx(expected, rel=1e-3)


def test_a_large_pool_is_stood_for_by_a_random_part_and_every_row_may_stand(monkeypatch):
    monkeypatch.setattr("labelloop.sampling.facility_location.REPRESENTED", 20)
    chosen = select(a_pool(100), 30, "facility_location")
    assert len(set(refs(chosen))) == 30
    assert chosen["reason"][0].as_py().endswith("more of 20 references")


# objectives of the hybrid


def weighed(pool: pa.Table, n: int = 1, **strengths: float | str) -> list[str]:
    aims = Objectives(**({"uncertainty": 0, "diversity": 0} | strengths))
    return refs(select(pool, n, "hybrid", objectives=aims))


def test_each_objective_alone_decides():
    pool = a_pool(40)
    column = {name: np.array(pool[name].to_pylist()) for name in ("cost", "probabilities")}
    assert weighed(pool, cost=1) == [f"{column['cost'].argmin():04d}"]
    assert weighed(pool, recency=1) == ["0000"]
    for score in ("margin", "entropy"):
        most = SCORES[score](column["probabilities"]).argmax()
        assert weighed(pool, uncertainty=1, score=score) == [f"{most:04d}"]


def test_recency_halves_in_the_half_life_and_can_be_outweighed():
    pool = a_pool(2).set_column(1, "probabilities", pa.array([[0.8, 0.2], [0.6, 0.4]]))  # 0001 is a day older
    assert weighed(pool, uncertainty=1, recency=1, half_life_days=30) == ["0001"]
    assert weighed(pool, uncertainty=1, recency=1, half_life_days=0.5) == ["0000"]


def test_balance_prefers_strata_with_few_labels_within_the_batch_too():
    pool = a_pool(40)  # strata s0 to s3, ten each
    labelled = pa.table({"ref_id": ["x", "y", "z"], "stratum": ["s0", "s0", "s1"]})
    aims = Objectives(uncertainty=0, diversity=0, balance=1)
    chosen = refs(select(pool, 9, "hybrid", objectives=aims, labelled=labelled))
    strata = [int(ref) % 4 for ref in chosen]
    assert [strata.count(s) for s in range(4)] == [1, 2, 3, 3]


def test_an_objective_without_its_column_is_named_before_any_work():
    for aim, column in (("balance", "stratum"), ("recency", "seen_at"), ("cost", "cost"), ("diversity", "embedding")):
        with pytest.raises(InputError, match=f"hybrid needs {column}"):
            weighed(a_pool().drop_columns([column]), **{aim: 1})
    assert weighed(a_pool().drop_columns(["embedding"]), uncertainty=1)
    with pytest.raises(InputError, match="no acquisition score 'luck'"):
        weighed(a_pool(), uncertainty=1, score="luck")


@pytest.mark.parametrize("cost", [0.0, -1.0, float("nan"), float("inf"), None])
def test_a_cost_that_is_none_keeps_the_row_out_and_is_counted(cost):
    pool = a_pool(3).drop_columns(["cost"]).append_column("cost", pa.array([cost, 1.0, 2.0], pa.float64()))
    chosen = select(pool, 3, "hybrid", objectives=Objectives(cost=1))
    assert set(refs(chosen)) == {"0001", "0002"}
    assert refused_rows(chosen) == {"cost not_positive": 1}


@pytest.mark.parametrize("strategy", ["hybrid", "stochastic", "density"])
@pytest.mark.parametrize("score", ["bald", "box_mean", "label_entropy"])
def test_any_score_can_be_the_uncertainty(strategy, score):
    pool = a_pool().drop_columns(["probabilities"])
    chosen = select(pool, 5, strategy, objectives=Objectives(score=score))
    assert len(chosen) == 5
    assert all(score in reason for reason in chosen["reason"].to_pylist())
