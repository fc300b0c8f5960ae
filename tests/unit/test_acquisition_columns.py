"""Scores that read more than class probabilities, against closed forms, and each way their rows can be wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as shannon

from labelloop.acquisition import (
    COMMITTEE_SCORES,
    SCORINGS,
    bald,
    binary_minimum,
    box_count_normalised,
    consensus_kl,
    jensen_shannon,
    knn_distance,
    label_entropy,
    mahalanobis,
    pair_disagreement,
    score,
    vote_entropy,
)
from labelloop.errors import InputError
from labelloop.vectors import lists_of

RNG = np.random.default_rng(0)
COMMITTEE = RNG.dirichlet(np.ones(4), size=(50, 5))
# of each column one row in doubt, one that is sure, and one that cannot be used with its rule
EXAMPLES = {
    "probabilities": ([0.5, 0.5], [1.0, 0.0], [0.5, 0.9], "not_summing_to_one"),
    "committee": ([[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0]] * 2, [[0.5, 0.5], [0.5, 0.9]], "not_summing_to_one"),
    "label_probabilities": ([0.5, 0.5], [1.0, 1.0], [0.5, 1.5], "not_a_probability"),
    "boxes": ([{"score": 0.5}], [{"score": 1.0}], [{"score": -1.0}], "not_a_confidence"),
    "spans": (
        [{"score": 0.5, "start": 0, "end": 4}],
        [{"score": 1.0, "start": 0, "end": 4}],
        [{"score": 0.5, "start": 4, "end": 0}],
        "ends_before_it_starts",
    ),
    "draws": ([0.0, 9.0], [1.0, 1.0], [float("nan"), 1.0], "not_finite"),
}


@pytest.mark.parametrize("name", SCORINGS)
def test_every_score_prefers_doubt_and_counts_what_it_cannot_read(name):
    column = SCORINGS[name].column
    doubtful, sure, unusable, rule = EXAMPLES[column]
    scores, masks = score(pa.table({column: [doubtful, sure, None, unusable]}), name)
    assert scores[0] > scores[1] >= 0
    assert np.isnan(scores[2:]).all()
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "missing": [False, False, True, False],
        rule: [False, False, False, True],
    }


@pytest.mark.parametrize("name", SCORINGS)
def test_no_rows_give_no_scores_whatever_the_column(name):
    column = SCORINGS[name].column
    rows = pa.table({column: [EXAMPLES[column][0]]}).slice(1)
    assert score(rows, name)[0].shape == (0,)


@pytest.mark.parametrize("name", SCORINGS)
def test_the_order_of_rows_does_not_matter_and_a_slice_is_read_as_such(name):
    column = SCORINGS[name].column
    doubtful, sure, *_ = EXAMPLES[column]
    table = pa.table({column: [doubtful, sure, sure, doubtful]})
    whole, _ = score(table, name)
    assert score(table.slice(1, 2), name)[0].tolist() == whole[1:3].tolist()
    assert score(table.take([3, 2, 1, 0]), name)[0].tolist() == whole[::-1].tolist()


def test_an_unknown_score_and_a_missing_or_misfit_column_are_named():
    with pytest.raises(InputError, match="no acquisition score 'luck'"):
        score(pa.table({"probabilities": [[1.0]]}), "luck")
    with pytest.raises(InputError, match="bald needs committee"):
        score(pa.table({"probabilities": [[1.0]]}), "bald")
    for column, name, message in (
        (["text"], "bald", "holds string"),
        ([[1.0]], "box_max", "no field score"),
        ([[{"score": "high"}]], "box_max", "holds string"),
        ([[{"score": 0.5}]], "span_length_normalised", "no field start"),
    ):
        with pytest.raises(InputError, match=message):
            score(pa.table({SCORINGS[name].column: column}), name)


# committees


def test_bald_is_entropy_of_the_mean_less_mean_entropy_and_equals_the_divergence_from_the_consensus():
    mean = COMMITTEE.mean(axis=1)
    assert bald(COMMITTEE) == pytest.approx(shannon(mean, axis=1) - shannon(COMMITTEE, axis=2).mean(axis=1))
    divergence = (COMMITTEE * np.log(COMMITTEE / mean[:, None])).sum(axis=2).mean(axis=1)
    assert consensus_kl(COMMITTEE) == pytest.approx(divergence)


def test_votes_are_counted_by_hand():
    votes = np.array([np.bincount(row.argmax(axis=1), minlength=4) for row in COMMITTEE]) / 5
    assert vote_entropy(COMMITTEE) == pytest.approx(shannon(votes, axis=1))
    assert COMMITTEE_SCORES["variation_ratio"](COMMITTEE) == pytest.approx(1 - votes.max(axis=1))


@pytest.mark.parametrize("name", COMMITTEE_SCORES)
def test_a_committee_of_one_or_of_one_mind_has_no_disagreement(name):
    agreed = np.repeat(RNG.dirichlet(np.ones(3), size=(6, 1)), 4, axis=1)
    assert COMMITTEE_SCORES[name](agreed) == pytest.approx(np.zeros(6), abs=1e-12)
    assert COMMITTEE_SCORES[name](agreed[:, :1]) == pytest.approx(np.zeros(6), abs=1e-12)


@pytest.mark.parametrize("name", COMMITTEE_SCORES)
def test_the_order_of_members_does_not_matter_and_nan_stays_nan(name):
    rule = COMMITTEE_SCORES[name]
    assert rule(COMMITTEE[:, ::-1]) == pytest.approx(rule(COMMITTEE))
    spoilt = COMMITTEE[:2].copy()
    spoilt[0, 1, 2] = np.nan
    assert np.isnan(rule(spoilt)).tolist() == [True, False]


# labels, regions, numbers


def test_a_label_is_a_coin():
    assert label_entropy(np.array([[0.2, 0.7]]))[0] == pytest.approx(
        np.mean([shannon([0.2, 0.8]), shannon([0.7, 0.3])])
    )
    assert binary_minimum(np.array([[0.2, 0.7]]))[0] == pytest.approx(0.6)


def test_a_crowd_of_boxes_leads_by_its_root():
    scores, offsets = np.full(9 + 1, 0.75), np.array([0, 9, 10])
    assert box_count_normalised(scores, offsets).tolist() == pytest.approx([1.5, 0.5])


def test_references_without_regions_have_no_doubt_that_could_be_measured():
    table = pa.table({"boxes": pa.array([[], [{"score": 0.5}], []])})
    for name in ("box_max", "box_mean", "box_count_normalised"):
        assert score(table, name)[0].tolist() == [0.0, 1.0, 0.0]


def test_a_refused_row_of_boxes_does_not_shift_the_others():
    rows = [[{"score": 0.5}, {"score": 2.0}], [{"score": 0.75}], None, [{"score": 1.0}]]
    scores, masks = score(pa.table({"boxes": rows}), "box_max")
    assert scores[[1, 3]].tolist() == [0.5, 0.0]
    assert np.isnan(scores[[0, 2]]).all()
    assert masks["not_a_confidence"].tolist() == [True, False, False, False]


def test_a_long_span_counts_for_its_characters():
    spans = [[{"start": 0, "end": 9, "score": 1.0}, {"start": 10, "end": 11, "score": 0.5}]]
    assert score(pa.table({"spans": spans}), "span_length_normalised")[0].tolist() == [0.1]


# two models


def test_jensen_shannon_agrees_with_scipy():
    p, q = RNG.dirichlet(np.ones(3), size=(2, 40))
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, axis=1) ** 2)


def test_pairs_that_two_models_order_alike_score_below_those_they_order_differently():
    first, second = np.array([0.0, 1.0, 2.0]), np.array([0.0, 2.0, 1.0])
    alike, different = pair_disagreement(first, second, np.array([[0, 1], [1, 2]]))
    assert different > alike
    assert pair_disagreement(first, second, np.array([[2, 1]]))[0] == pytest.approx(different)


# outliers


def test_the_distance_to_the_kth_neighbour_is_that_of_a_full_distance_matrix(monkeypatch):
    monkeypatch.setattr("labelloop.acquisition.outlier.BLOCK", 7)
    points = RNG.normal(size=(30, 3))
    full = np.sort(np.linalg.norm(points[:, None] - points, axis=2), axis=1)
    assert knn_distance(points, points, neighbours=4, apart=True) == pytest.approx(full[:, 4], abs=1e-6)
    assert knn_distance(points, points[:2], neighbours=9).shape == (30,)
    assert knn_distance(points, points[:0]).tolist() == [0.0] * 30


def test_mahalanobis_counts_in_units_of_spread():
    known = RNG.normal(size=(5000, 2)) * [1.0, 10.0]
    near, far = mahalanobis(np.array([[0.0, 10.0], [10.0, 0.0]]), known)
    assert near == pytest.approx(1.0, abs=0.1)
    assert far == pytest.approx(10.0, abs=0.5)


@pytest.mark.parametrize("known", [np.zeros((0, 2)), np.ones((1, 2)), np.ones((4, 2))])
def test_mahalanobis_without_any_spread_is_a_plain_distance(known):
    found = mahalanobis(np.array([[1.0, 1.0], [1.0, 3.0]]), known)
    assert found.tolist() == ([0.0, 0.0] if not len(known) else [0.0, 2.0])


def test_fewer_points_than_dimensions_have_a_distance_too():
    assert np.isfinite(mahalanobis(RNG.normal(size=(3, 20)), RNG.normal(size=(5, 20)))).all()


def test_a_pool_survives_the_way_through_parquet_types():
    values = lists_of(np.array([[0.5, 0.5]], dtype=np.float32))
    assert score(pa.table({"probabilities": values}), "margin")[0].tolist() == [1.0]
