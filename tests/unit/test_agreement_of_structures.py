"""Agreement of rankings, triage, pairwise comparisons and groupings, against other implementations and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import average_precision_score

from labelloop.agreement.buckets import average_precision as bucket_precision
from labelloop.agreement.buckets import bucket_figures
from labelloop.agreement.comparisons import circular_triads, position_bias
from labelloop.agreement.groupings import adjusted_rand, b_cubed, grouping_figures
from labelloop.agreement.rankings import (
    average_precision,
    kendall_tau_b,
    kendall_w,
    ranking_figures,
    rbo,
    read_rankings,
)
from labelloop.errors import InputError


def answers(values_by_annotator):
    rows = [
        (u, who, value)
        for who, row in values_by_annotator.items()
        for u, value in enumerate(row)
        if value is not None
    ]
    return pd.DataFrame(rows, columns=["unit", "annotator", "value"])


def places(rng, n, m, ties=False, missing=0.0):
    found = (
        rng.integers(m // 2, size=(n, m)).astype(float)
        if ties
        else rng.permuted(np.tile(np.arange(m), (n, 1)), axis=1) * 1.0
    )
    found[rng.random(found.shape) < missing] = np.nan
    return found


@pytest.mark.parametrize(("ties", "missing"), [(False, 0.0), (True, 0.0), (False, 0.3), (True, 0.3)])
def test_tau_b_equals_scipy_for_every_two_rankings(ties, missing):
    rng = np.random.default_rng(0)
    one, other = places(rng, 200, 8, ties, missing), places(rng, 200, 8, ties, missing)
    found = kendall_tau_b(one, other)
    for row in range(200):
        known = ~(np.isnan(one[row]) | np.isnan(other[row]))
        expected = kendalltau(one[row][known], other[row][known]).statistic if known.sum() > 1 else np.nan
        assert found[row] == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_overlap_of_lists_is_one_for_the_same_and_zero_for_strangers_and_weighs_the_top():
    same = np.arange(6.0)[None, :]
    swapped_top, swapped_end = same[:, [1, 0, 2, 3, 4, 5]], same[:, [0, 1, 2, 3, 5, 4]]
    strangers = np.array([[0, 1, np.nan, np.nan]]), np.array([[np.nan, np.nan, 0, 1]])
    assert rbo(same, same)[0] == pytest.approx(1.0)
    assert rbo(*strangers)[0] == 0.0
    assert rbo(same, swapped_top)[0] < rbo(same, swapped_end)[0] < 1.0


def test_overlap_of_uneven_lists_is_the_published_equation_written_out():
    # Webber, Moffat and Zobel (2010), equation 32, term by term.
    rng, p = np.random.default_rng(1), 0.8
    for _ in range(50):
        items = rng.permutation(9)
        long, short = items[: rng.integers(3, 9)].tolist(), rng.permutation(9)[: rng.integers(1, 4)].tolist()
        s, l = sorted((len(short), len(long)))  # noqa: E741, the names of the paper
        shared = {d: len(set(short[:d]) & set(long[:d])) for d in range(1, l + 1)}
        head = sum(shared[d] / d * p**d for d in range(1, l + 1))
        head += sum(shared[s] * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
        expected = (1 - p) / p * head + ((shared[l] - shared[s]) / l + shared[s] / s) * p**l
        rows = [[ranked.index(item) if item in ranked else np.nan for item in range(9)] for ranked in (short, long)]
        one, other = (np.array([row], dtype=float) for row in rows)
        assert rbo(one, other, p)[0] == pytest.approx(expected, abs=1e-12)
        assert rbo(other, one, p)[0] == pytest.approx(expected, abs=1e-12)


def test_average_precision_asks_how_early_the_best_come_in_the_others_order():
    one, other = np.array([[0.0, 1, 2, 3]]), np.array([[2.0, 0, 1, 3]])
    # One's best is the other's third, the other's best is one's second.
    assert average_precision(one, other, top=1)[0] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert average_precision(one, one, top=2)[0] == 1.0
    assert np.isnan(average_precision(np.array([[0.0, np.nan]]), np.array([[np.nan, 0.0]]), top=1)[0])


def test_concordance_of_two_is_half_of_one_plus_spearmans_correlation():
    table = answers({"ann": [list("abcde")], "bob": [list("badce")]})
    ranks = np.array([[0, 1, 2, 3, 4], [1, 0, 3, 2, 4]])
    assert kendall_w(read_rankings(table))[0] == pytest.approx((1 + np.corrcoef(ranks)[0, 1]) / 2)


def test_concordance_ignores_what_someone_left_unranked():
    table = answers({"ann": [list("abcx")], "bob": [list("yabc")], "cat": [list("abc")]})
    assert kendall_w(read_rankings(table))[0] == pytest.approx(1.0)


def test_unranked_is_not_last():
    full, short = [list("abcd")] * 6, [["a", "b"]] * 6
    (tau,) = ranking_figures(answers({"ann": full, "bob": short}), ("kendall_tau_b",))
    assert tau.value == 1.0


def test_figures_count_lists_once_and_give_an_interval_over_lists():
    rng = np.random.default_rng(3)
    lists = [rng.permutation(list("abcdef")).tolist() for _ in range(40)]
    noisy = [[row[0], *rng.permutation(row[1:]).tolist()] for row in lists]
    figures = ranking_figures(
        answers({"ann": lists, "bob": noisy, "cat": lists[:10] + [None] * 30}),
        ("kendall_tau_b", "kendall_w", "rbo", "average_precision"),
    )
    for figure in figures:
        assert figure.low < figure.value < figure.high <= 1.0
        assert (figure.n_units, figure.n_annotators, figure.n_ratings) == (40, 3, 90)


def test_lists_that_all_agree_leave_room_for_those_not_seen():
    tau, overlap = ranking_figures(
        answers({"ann": [["a", "b"]] * 20, "bob": [["a", "b"]] * 20}), ("kendall_tau_b", "rbo")
    )
    assert (tau.value, tau.high, overlap.value, overlap.high) == (1.0, 1.0, 1.0, 1.0)
    assert 0.6 < tau.low < overlap.low < 0.9


def test_too_few_lists_give_a_reason():
    (figure,) = ranking_figures(answers({"ann": [["a", "b"]], "bob": [["b", "a"]]}), ("rbo",))
    assert figure.reason == "units whose answers can be compared: 1, fewer than 5"


@pytest.mark.parametrize("value", ["a > b", 3, '["a", "a"]', {"a": 1}])
def test_what_is_no_ranking_is_refused(value):
    with pytest.raises(InputError):
        ranking_figures(answers({"ann": [value], "bob": [value]}))


# Triage


def test_buckets_are_ordinal_ratings_of_items_and_sets_of_items():
    ann = [{"keep": ["a", "b"], "maybe": ["c"], "drop": ["d"]}] * 6
    bob = [{"keep": ["a"], "maybe": ["b", "c"], "drop": ["d"]}] * 6
    alpha, _, keep, maybe, drop = bucket_figures(answers({"ann": ann, "bob": bob}), ["keep", "maybe", "drop"])
    assert alpha.reason is None
    assert 0 < alpha.value < 1
    assert (keep.value, maybe.value, drop.value) == (pytest.approx(1 / 2), pytest.approx(1 / 2), 1.0)
    assert (keep.metric, keep.n_units) == ("jaccard_of_keep", 6)


def test_the_best_bucket_of_one_is_looked_for_in_the_order_of_the_other():
    rng = np.random.default_rng(8)
    names, items = ["keep", "maybe", "drop"], [*"abcdefghij"]
    for _ in range(50):
        one, other = (rng.integers(3, size=len(items)) for _ in range(2))
        placed = [{item: names[at] for item, at in zip(items, each, strict=True)} for each in (one, other)]
        found = bucket_precision(*placed, names)
        if (one == 0).any() and (other == 0).any():
            each_way = [average_precision_score(a == 0, -b) for a, b in ((one, other), (other, one))]
            assert found == pytest.approx(np.mean(each_way))
        else:
            assert np.isnan(found)


def test_an_item_that_one_did_not_judge_counts_for_nobody():
    ann, bob = [{"keep": ["a", "b"], "drop": ["c"]}] * 6, [{"keep": ["a"], "drop": ["c"]}] * 6
    for figure in bucket_figures(answers({"ann": ann, "bob": bob}), ["keep", "drop"]):
        assert figure.value == 1.0


def test_items_of_one_list_are_resampled_together():
    rng = np.random.default_rng(5)

    def triage(seed):
        wild = np.random.default_rng(seed).random(12) < 0.5
        sides = [rng.random(10) < 0.5 for _ in range(12)]
        return [
            {
                "keep": [f"i{i}" for i in range(10) if s[i] ^ bool(w)],
                "drop": [f"i{i}" for i in range(10) if not s[i] ^ bool(w)],
            }
            for s, w in zip(sides, wild, strict=True)
        ]

    first = triage(1)
    turned = [
        {"keep": one["drop"], "drop": one["keep"]} if place % 3 == 0 else one for place, one in enumerate(first)
    ]
    (alpha, *_) = bucket_figures(answers({"ann": first, "bob": turned}), ["keep", "drop"])
    # Whole lists agree or disagree: 12 observations, not 120.
    assert alpha.high - alpha.low > 0.5


@pytest.mark.parametrize("value", ["keep", '["a"]', {"elsewhere": ["a"]}, {"keep": ["a"], "drop": ["a"]}])
def test_what_is_no_triage_is_refused(value):
    with pytest.raises(InputError):
        bucket_figures(answers({"ann": [value], "bob": [value]}), ["keep", "drop"])


# Pairwise comparisons


def choices(*rows):
    return pa.table(dict(zip(("left", "right", "choice"), map(list, zip(*rows, strict=True)), strict=True)))


def test_circles_are_counted_as_by_looking_at_every_triple():
    rng, items = np.random.default_rng(7), "abcdefg"
    rows = [
        (a, b, str(rng.choice(["left", "right", "tie"], p=[0.45, 0.45, 0.1])))
        for a, b in itertools.combinations(items, 2)
    ]
    beats = {(a, b) if choice == "left" else (b, a) for a, b, choice in rows if choice != "tie"}
    circular = compared = 0
    for a, b, c in itertools.combinations(items, 3):
        met = [pair for pair in ((a, b), (b, c), (a, c)) if pair in beats or pair[::-1] in beats]
        compared += len(met) == 3
        circular += {(a, b), (b, c), (c, a)} <= beats or {(b, a), (c, b), (a, c)} <= beats
    found = circular_triads(choices(*rows))
    assert (found.circular, found.compared) == (circular, compared)
    assert circular > 0


def test_an_order_has_no_circles_and_full_consistency():
    rows = [(a, b, "left") for a, b in itertools.combinations("abcde", 2)]
    assert circular_triads(choices(*rows)).consistency == 1.0


def test_a_side_that_wins_too_often_is_a_bias_and_chance_is_none():
    assert position_bias(choices(*[("a", "b", "left")] * 80, *[("a", "b", "right")] * 20)).biased
    assert not position_bias(choices(*[("a", "b", "left")] * 52, *[("a", "b", "right")] * 48)).biased
    with pytest.raises(InputError):
        position_bias(choices(("a", "b", "tie")))


# Groupings


def test_names_of_groups_do_not_matter_and_other_groups_do():
    one, renamed, apart = (
        {"a": 0, "b": 0, "c": 1, "d": 1},
        {"a": 5, "b": 5, "c": 2, "d": 2},
        {"a": 0, "b": 1, "c": 0, "d": 1},
    )
    assert (adjusted_rand(one, renamed), b_cubed(one, renamed)) == (1.0, 1.0)
    assert adjusted_rand(one, apart) < 0.0
    assert b_cubed(one, apart) == pytest.approx(0.5)


def test_groupings_are_compared_over_the_items_both_placed():
    ann, bob = [[["a", "b"], ["c"]]] * 6, [[["a", "b"], ["x"]]] * 6
    rand, cubed = grouping_figures(answers({"ann": ann, "bob": bob}))
    assert (rand.value, cubed.value) == (1.0, 1.0)
    assert (cubed.level, cubed.n_units) == ("grouping", 6)


@pytest.mark.parametrize("value", ["ab", [1, 2], '[["a"], ["a"]]'])
def test_what_is_no_grouping_is_refused(value):
    with pytest.raises(InputError):
        grouping_figures(answers({"ann": [value], "bob": [value]}))
