"""Uncertainty herding: doubt that many share is covered first, and labels speak for their neighbourhood."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from labelloop.sampling import herding, select
from labelloop.spec.sampling import Objectives
from tests.builders.pools import refs

SURE, UNSURE = [1.0, 0.0], [0.5, 0.5]


def pool_of(points: list[list[float]], probabilities: list[list[float]], **columns: list) -> pa.Table:
    ids = [f"{row:04d}" for row in range(len(points))]
    given = {"ref_id": ids, "embedding": points, "probabilities": probabilities, **columns}
    return pa.table(given)


def crowd(seed: int, n: int = 60, at: float = 0.0) -> list[list[float]]:
    return (np.random.default_rng(seed).normal(0, 0.3, (n, 2)) + at).tolist()


def test_doubt_that_many_share_goes_before_the_doubt_of_an_outlier():
    pool = pool_of([*crowd(0), [9.0, 9.0]], [UNSURE] * 61)
    assert refs(select(pool, 1, "herding")) != ["0060"]
    assert refs(select(pool, 1, "hybrid", labelled=pool.slice(0, 1))) == ["0060"]


def test_what_the_model_is_sure_of_is_not_worth_a_label_however_common():
    pool = pool_of([*crowd(0, 80), *crowd(1, 20, at=5.0)], [SURE] * 80 + [UNSURE] * 20)
    assert all(ref >= "0080" for ref in refs(select(pool, 3, "herding")))


def test_a_labelled_neighbour_leaves_little_to_cover():
    near, far = crowd(0, 50), crowd(1, 30, at=5.0)
    pool = pool_of([*near, *far], [UNSURE] * 80)
    assert refs(select(pool, 1, "herding")) < ["0050"]
    assert refs(select(pool, 1, "herding", labelled=pool.slice(0, 3))) >= ["0050"]


def test_picks_and_gains_are_those_of_the_one_at_a_time_greedy(monkeypatch):
    monkeypatch.setattr(herding, "SHORT_LIST", 4)
    rng = np.random.default_rng(3)
    points, doubt, covered = rng.normal(size=(50, 3)).astype(np.float32), rng.random(50), np.zeros(50)
    rows, gains = herding._greedy(points, herding._Doubt(points, doubt, 1.5), covered, np.ones(50), 20)
    kernel = np.exp(-((points[:, None] - points[None]) ** 2).sum(axis=2) / 1.5)
    for row, gain in zip(rows, gains, strict=True):
        rises = np.maximum(kernel - covered, 0) @ doubt
        assert rises[row] == pytest.approx(rises.max(), rel=1e-4)
        assert gain == pytest.approx(rises[row], rel=1e-4)
        covered = np.maximum(covered, kernel[row])


def test_in_a_pool_too_large_to_look_at_whole_a_little_doubt_is_found():
    pool = pool_of([*crowd(0, 2990), *crowd(1, 10, at=5.0)], [SURE] * 2990 + [UNSURE] * 10)
    assert all(ref >= "2990" for ref in refs(select(pool, 3, "herding")))


def test_a_model_that_is_sure_of_everything_leaves_plain_coverage():
    pool = pool_of([*crowd(0, 40), *crowd(1, 40, at=9.0)], [SURE] * 80)
    assert len({ref < "0040" for ref in refs(select(pool, 2, "herding"))}) == 2


def test_of_two_alike_the_cheaper_one_is_chosen_where_cost_counts():
    pool = pool_of(crowd(0, 30) * 2, [UNSURE] * 60, cost=[5.0] * 30 + [1.0] * 30)
    assert refs(select(pool, 1, "herding", objectives=Objectives(cost=1.0))) >= ["0030"]


def test_without_room_left_to_cover_the_rest_is_drawn_at_random():
    chosen = select(pool_of([[0.0, 0.0]] * 10, [UNSURE] * 10), 5, "herding")
    assert chosen["acquisition_score"].to_pylist()[1:] == [0.0] * 4
