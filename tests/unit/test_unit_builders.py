"""Units of several references: pairs that connect, lists that overlap, groups of near-duplicates."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from labelloop.sampling.likeness import WithinRadius
from labelloop.spec.sampling import NearDuplicates, Unit
from labelloop.unit_builders import (
    build_units,
    comparison_pairs,
    near_duplicate_groups,
    ranking_lists,
    references_for,
)
from labelloop.unit_builders.pairs import components

NONE = np.empty((0, 2), dtype=np.intp)


def pairs_of(scores, *, per_item=3, compared=NONE, fresh=None, seed=0):
    fresh = np.ones(len(scores), dtype=bool) if fresh is None else fresh
    return comparison_pairs(
        scores, per_item=per_item, fresh=fresh, compared=compared, rng=np.random.default_rng(seed)
    )


def as_sets(pairs) -> set[frozenset[int]]:
    return {frozenset(pair) for pair in pairs.tolist()}


# pairs


@pytest.mark.parametrize("n", [2, 3, 10, 101])
@pytest.mark.parametrize("per_item", [1, 2, 5])
def test_every_item_can_be_reached_from_every_other_and_has_its_comparisons(n, per_item):
    scores = np.random.default_rng(n).random(n)
    pairs = pairs_of(scores, per_item=per_item)
    assert set(components(n, pairs)) == {0}
    assert (np.bincount(pairs.ravel(), minlength=n) >= min(per_item, n - 1)).all()
    assert len(as_sets(pairs)) == len(pairs)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    assert len(pairs) <= max(n - 1, n * (per_item + 1) / 2)


def test_pairs_are_close_in_score():
    scores = np.random.default_rng(0).random(200)
    pairs = pairs_of(scores)
    assert np.abs(scores[pairs[:, 0]] - scores[pairs[:, 1]]).mean() < 0.02


def test_new_items_join_what_was_compared_before_and_nothing_is_asked_twice():
    rng = np.random.default_rng(0)
    scores, fresh = rng.random(40), np.arange(40) >= 20
    old = pairs_of(scores[:20])
    new = pairs_of(scores, compared=old, fresh=fresh)
    assert not as_sets(old) & as_sets(new)
    assert set(components(40, np.concatenate([old, new]))) == {0}
    assert fresh[new].any(axis=1).all()


def test_parts_that_an_erasure_left_apart_are_joined_again():
    scores, known = np.linspace(0, 1, 6), np.zeros(6, dtype=bool)
    apart = np.array([[0, 1], [1, 2], [3, 4], [4, 5]])
    assert as_sets(pairs_of(scores, compared=apart, fresh=known)) == {frozenset({2, 3})}


def test_scores_that_are_equal_or_unknown_give_connected_pairs_too_and_the_seed_decides():
    for scores in (np.zeros(9), np.full(9, np.nan), np.array([0.5, np.nan, 0.1] * 3)):
        assert set(components(9, pairs_of(scores))) == {0}
        assert pairs_of(scores, seed=1).tolist() == pairs_of(scores, seed=1).tolist()


def test_who_stands_left_does_not_tell_the_score():
    scores = np.linspace(0, 1, 400)
    pairs = pairs_of(scores)
    assert np.mean(scores[pairs[:, 0]] < scores[pairs[:, 1]]) == pytest.approx(0.5, abs=0.08)


# lists


@pytest.mark.parametrize(("n", "size", "shared"), [(2, 5, 1), (5, 5, 1), (6, 5, 1), (50, 5, 2), (51, 10, 9)])
def test_lists_hold_everything_are_equally_long_and_each_overlaps_the_next(n, size, shared):
    scores = np.random.default_rng(n).random(n)
    lists = ranking_lists(scores, size=size, shared=shared, rng=np.random.default_rng(0))
    assert set(np.concatenate(lists)) == set(range(n))
    assert {len(items) for items in lists} == {min(size, n)}
    for one, following in pairwise(lists):
        assert len(set(one) & set(following)) >= shared


def test_lists_are_homogeneous_and_their_order_does_not_tell_the_score():
    scores = np.random.default_rng(0).random(300)
    lists = ranking_lists(scores, size=6, shared=1, rng=np.random.default_rng(0))
    assert max(np.ptp(scores[items]) for items in lists) < 0.1
    assert np.mean([np.corrcoef(np.arange(6), scores[items])[0, 1] for items in lists]) == pytest.approx(0, abs=0.2)


# groups


def test_a_group_holds_what_is_like_its_leader_and_not_what_is_like_a_member_alone():
    ways = [WithinRadius(pa.chunked_array([[[0.0], [0.9], [1.8], [9.0], [0.5]]]), radius=1.0)]
    groups = near_duplicate_groups([0, 3], ways, np.ones(5, dtype=bool), size=9)
    assert [group.tolist() for group in groups] == [[0, 1, 4], [3]]


def test_a_row_joins_one_group_and_a_leader_none_but_its_own():
    ways = [WithinRadius(pa.chunked_array([[[0.0], [0.1], [0.2], [0.3]]]), radius=1.0)]
    groups = near_duplicate_groups([0, 1], ways, np.array([True, True, True, False]), size=9)
    assert [group.tolist() for group in groups] == [[0, 2], [1]]


# a batch


def a_batch(n: int = 12, audit: int = 4) -> tuple[pa.Table, pa.Table]:
    strata = ["exploit"] * (n - audit - 2) + ["explore"] * 2 + ["audit"] * audit
    chosen = {
        "ref_id": [f"r{i:02d}" for i in range(n)],
        "rank": np.arange(n),
        "stratum": strata,
        "strategy": ["margin"] * n,
        "acquisition_score": [1 - i / n for i in range(n - audit)] + [None] * audit,
        "inclusion_probability": pa.array([None] * (n - audit) + [0.2] * audit, pa.float64()),
        "reason": ["why"] * n,
        "seed": [1] * n,
    }
    pool = {
        "ref_id": [f"r{i:02d}" for i in range(n + 6)],
        "standing": np.random.default_rng(0).random(n + 6),
        "audited": [i in range(n - audit, n) or i == n + 5 for i in range(n + 6)],
        "digest": [f"d{i % n}" for i in range(n + 6)],
    }
    return pa.table(chosen), pa.table(pool)


def built(unit: Unit, earlier=None, asked=None):
    chosen, pool = a_batch()
    nothing = pa.table({"ref_id": pa.array([], pa.string()), "standing": pa.array([], pa.float64())})
    return build_units(
        chosen,
        unit,
        pool=pool,
        asked=nothing if asked is None else asked,
        earlier=earlier or {},
        near=NearDuplicates(),
        seed=3,
    )


def test_single_units_are_the_references():
    chosen, _ = a_batch()
    rows, members = built(Unit())
    assert members == [[ref] for ref in chosen["ref_id"].to_pylist()]
    assert rows.equals(chosen.drop_columns(["ref_id"]))


@pytest.mark.parametrize("unit", [Unit(kind="pair"), Unit(kind="list", size=3, shared=1)])
def test_pairs_and_lists_keep_the_audit_apart_and_claim_no_inclusion_probability(unit):
    rows, members = built(unit)
    audit = {f"r{i:02d}" for i in range(8, 12)}
    for row, refs in zip(rows.to_pylist(), members, strict=True):
        assert (set(refs) <= audit) == (row["stratum"] == "audit")
        assert not set(refs) & audit or set(refs) <= audit
        assert row["inclusion_probability"] is None
        assert "compared" in row["reason"]
    assert rows["rank"].to_pylist() == list(range(len(members)))
    assert {ref for refs in members for ref in refs} == {f"r{i:02d}" for i in range(12)}


def test_pairs_link_to_those_of_earlier_rounds():
    asked = pa.table({"ref_id": ["old1", "old2"], "standing": [0.2, 0.8]})
    _, members = built(Unit(kind="pair"), earlier={"label": [["old1", "old2"]]}, asked=asked)
    linked = [refs for refs in members if {"old1", "old2"} & set(refs)]
    assert linked
    assert ["old1", "old2"] not in [sorted(refs) for refs in members]


def test_lists_take_an_anchor_from_earlier_rounds():
    asked = pa.table({"ref_id": ["old1", "old2"], "standing": [0.2, 0.8]})
    _, members = built(Unit(kind="list", size=4, shared=1), earlier={"label": [["old1", "old2"]]}, asked=asked)
    assert sum(len({"old1", "old2"} & set(refs)) for refs in members) >= 1


def test_groups_take_near_duplicates_of_the_same_side_of_the_audit():
    rows, members = built(Unit(kind="group"))
    assert members[0] == ["r00", "r12"]  # same digest
    assert members[5] == ["r05"]  # its copy r17 belongs to the audit
    assert rows["reason"][0].as_py() == "why; with 1 near-duplicates"
    assert rows["inclusion_probability"].to_pylist()[-1] == 0.2


def test_a_batch_of_pairs_or_lists_has_about_the_size_asked_for():
    for unit, size in ((Unit(kind="pair", comparisons=3), 60), (Unit(kind="list", size=5, shared=1), 12)):
        n = references_for(unit, size)
        scores = np.random.default_rng(0).random(n)
        made = (
            pairs_of(scores, per_item=3)
            if unit.kind == "pair"
            else ranking_lists(scores, size=5, shared=1, rng=np.random.default_rng(0))
        )
        assert len(made) == pytest.approx(size, rel=0.15)
    assert references_for(Unit(kind="pair"), 0) == 0
