"""The comparison of strategies: what a curve is worth, when a promise is kept, and one loop for all."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from benchmarks.label_efficiency import cells
from benchmarks.label_efficiency.figures import area, holm, labels_needed, paired, verdict
from benchmarks.label_efficiency.loop import Problem, at_random, full_data, learning_curve
from benchmarks.label_efficiency.ours import strategies
from benchmarks.label_efficiency.part import figures_of
from benchmarks.sampling_page import label_efficiency_section


def two_clouds(n: int = 120) -> Problem:
    rng = np.random.default_rng(0)
    classes = np.arange(n) % 2
    features = (rng.normal(0, 1, (n, 3)) + 2 * classes[:, None]).astype(np.float32)
    return Problem("clouds", features, classes, batch=4)


def test_the_area_is_the_mean_height_and_labels_are_counted_between_batches():
    assert area([0.0, 1.0, 1.0]) == pytest.approx(0.75)
    assert labels_needed([0.5, 0.9], 0.7, 10) == pytest.approx(15)
    assert labels_needed([0.9, 0.5], 0.7, 10) == 10
    assert labels_needed([0.5, 0.6], 0.7, 10) == float("inf")


@pytest.mark.slow
def test_holm_is_that_of_statsmodels():
    p_values = {"a": 0.04, "b": 0.01, "c": 0.03, "d": 0.9}
    assert list(holm(p_values).values()) == pytest.approx(multipletests(list(p_values.values()), method="holm")[1])


def test_equal_values_are_never_above_themselves():
    assert paired([0.0, 0.0, 0.0]).p == 1.0
    assert paired([0.0, 0.0, 0.0], above=-0.01).p == 0.0


def areas_of(auto: float, peer: float, random: float, noise: float = 0.002) -> dict[str, dict[str, list[float]]]:
    rng = np.random.default_rng(1)
    means = {"auto": auto, "peer": peer, "random": random}
    return {name: {s: (m + rng.normal(0, noise, 10)).tolist() for s in ("x", "y")} for name, m in means.items()}


@pytest.mark.parametrize(("auto", "kept"), [(0.90, True), (0.895, True), (0.88, False)])
def test_a_default_may_lose_less_than_a_point_to_the_best_peer(auto, kept):
    found = verdict(areas_of(auto, 0.90, 0.8), default="auto", peers=["peer"])
    assert (found["not_worse_than_best_peer"], found["best_peer"]) == (kept, "peer")


def test_a_data_set_on_which_the_default_loses_to_random_is_named():
    areas = areas_of(0.9, 0.9, 0.8)
    areas["random"]["y"] = [value + 0.2 for value in areas["random"]["y"]]
    assert verdict(areas, default="auto", peers=["peer"])["worse_than_random_on"] == ["y"]


def test_a_curve_rises_to_what_all_labels_give_and_the_same_seed_gives_it_again():
    problem = two_clouds()
    curve = learning_curve(problem, at_random, seed=1, rounds=5)
    assert curve == learning_curve(problem, at_random, seed=1, rounds=5)
    assert curve != learning_curve(problem, at_random, seed=2, rounds=5)
    assert curve[-1] >= full_data(problem, seed=1) - 0.15


@pytest.mark.parametrize("name", ["auto", "margin", "herding", "random"])
def test_our_strategies_run_through_the_loop(name):
    assert len(learning_curve(two_clouds(), strategies()[name], seed=0, rounds=3)) == 3


def test_a_strategy_that_asks_twice_for_one_row_is_refused():
    with pytest.raises(ValueError, match="one twice"):
        learning_curve(two_clouds(), lambda asked: np.arange(asked.n), seed=0, rounds=2)


def test_a_run_that_was_ended_goes_on_where_it_stopped(tmp_path):
    asked = []

    def counting(told):
        asked.append(told.n)
        return at_random(told)

    cells.fill(tmp_path, {"one": counting}, [two_clouds()], [0])
    once = len(asked)
    cells.fill(tmp_path, {"one": counting}, [two_clouds()], [0, 1])
    assert len(asked) == 2 * once
    assert sorted((c["strategy"], c["seed"]) for c in cells.read(tmp_path)) == [
        (cells.FULL, 0),
        (cells.FULL, 1),
        ("one", 0),
        ("one", 1),
    ]


def test_only_seeds_that_every_strategy_has_finished_count_and_the_section_says_how_many():
    rng = np.random.default_rng(0)
    found = [
        {
            "strategy": name,
            "data": data,
            "seed": seed,
            "curve": rng.random(3).tolist(),
            "batch": 5,
            "metric": "accuracy",
        }
        for name in ("auto", "random", "theirs", cells.FULL)
        for data in ("x", "y")
        for seed in range(4)
        if (name, seed) != ("theirs", 3)
    ]
    figures = figures_of(found, peers={"theirs"})
    assert figures["seeds"] == 3
    section = label_efficiency_section({"label_efficiency": figures})
    assert "3 seeds" in section
    assert "| theirs |" in section
    assert label_efficiency_section({}) == ""
