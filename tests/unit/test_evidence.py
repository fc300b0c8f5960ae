"""Evidence of what a batch taught: found where there is a difference, silent where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from labelloop.errors import NotEstimable
from labelloop.sampling import evidence
from labelloop.sampling.evidence import Gain, Labelled, exploit_gain

pytestmark = pytest.mark.slow


def rows(rng: np.random.Generator, n: int, *, only: str | None = None) -> Labelled:
    """Four clouds of points; `only` draws all points from one of them, which teaches nothing of the others."""
    centres = {"a": (0, 0), "b": (4, 0), "c": (0, 4), "d": (4, 4)}
    labels = [only or "abcd"[i] for i in rng.integers(4, size=n)]
    return Labelled(np.array([centres[name] for name in labels]).reshape(n, 2) + rng.normal(0, 1.2, (n, 2)), labels)


def found(exploited: Labelled, explored: Labelled, *, audit: int = 300, before: int = 8, seed: int = 0) -> Gain:
    rng = np.random.default_rng([seed, 9])
    return exploit_gain(
        "herding",
        before=rows(rng, before),
        exploited=exploited,
        explored=explored,
        audit=rows(rng, audit),
        seed=seed,
    )


@pytest.mark.slow
def test_a_batch_that_teaches_less_than_random_labels_is_found_harmful():
    rng = np.random.default_rng(1)
    gain = found(rows(rng, 40, only="a"), rows(rng, 40))
    assert gain.harmful
    assert gain.difference < -0.1


def test_a_batch_that_teaches_more_is_not_harmful_and_its_interval_lies_above_zero():
    rng = np.random.default_rng(1)
    gain = found(rows(rng, 40), rows(rng, 40, only="a"))
    assert gain.low > 0
    assert not gain.harmful


@pytest.mark.slow
def test_where_there_is_no_difference_harm_is_seldom_found(monkeypatch):
    monkeypatch.setattr(evidence, "REFITS", 20)
    harms = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 1])
        harms.append(found(rows(rng, 20), rows(rng, 20), audit=60, seed=seed).harmful)
    assert sum(harms) <= 1


def test_fewer_audit_units_make_only_larger_differences_detectable():
    rng = np.random.default_rng(2)
    exploited, explored = rows(rng, 30), rows(rng, 30)
    assert found(exploited, explored, audit=20).detectable > found(exploited, explored, audit=2000).detectable > 0


def test_the_difference_that_would_have_shown_is_two_point_eight_standard_errors():
    assert Gain("herding", 0.0, -1.96, 1.96, 9).detectable == pytest.approx(2.8, abs=0.01)


def test_the_larger_side_has_no_advantage_of_its_size():
    rng = np.random.default_rng(3)
    gain = found(rows(rng, 2000), rows(rng, 10), before=0)
    assert gain.low < 0 < gain.high


def test_the_sentence_names_strategy_interval_units_and_power():
    assert str(Gain("herding", 0.0123, -0.01, 0.0346, 45)) == (
        "the last herding batch gained +0.012 [-0.010, +0.035] over random labels on 45 audit units, "
        "0.032 would have shown"
    )


@pytest.mark.parametrize(("exploited", "explored", "audit"), [(4, 9, 9), (9, 4, 9), (9, 9, 4)])
def test_too_little_of_anything_gives_no_figure_but_a_reason(exploited, explored, audit):
    rng = np.random.default_rng(0)
    with pytest.raises(NotEstimable, match=r"4 .* are too few"):
        found(rows(rng, exploited), rows(rng, explored), audit=audit)


def test_a_single_class_gives_no_figure_but_a_reason():
    rng = np.random.default_rng(0)
    with pytest.raises(NotEstimable, match="two classes"):
        found(rows(rng, 9, only="a"), rows(rng, 9, only="a"), before=0)


def test_the_same_seed_gives_the_same_figure():
    rng = np.random.default_rng(5)
    exploited, explored = rows(rng, 12), rows(rng, 12)
    assert found(exploited, explored, audit=30) == found(exploited, explored, audit=30)
