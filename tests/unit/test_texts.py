"""Agreement of texts, and the text nearest to all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from labelloop.agreement import texts
from labelloop.agreement.texts import character_error_rate, edit_similarity, text_figures, word_error_rate
from labelloop.consensus.text_medoid import text_medoid
from labelloop.errors import InputError


def answers(*rows):
    return pd.DataFrame(rows, columns=["unit", "annotator", "value"])


def of_all(rows, **settings):
    return {figure.metric: figure for figure in text_figures(answers(*rows), **({"n_min": 1} | settings))}


def levenshtein(one, other):
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def test_rates_are_edits_by_length():
    rng = np.random.default_rng(0)
    for _ in range(100):
        one, other = ("".join(rng.choice(list("ab "), rng.integers(0, 9))) for _ in range(2))
        edits, longer = levenshtein(one, other), max(len(one), len(other))
        assert edit_similarity(one, other) == pytest.approx(1 - edits / longer if longer else 1.0)
        ways = [min(edits / max(len(text), 1), 1.0) for text in (one, other)]
        assert character_error_rate(one, other) == pytest.approx(np.mean(ways))
        words = levenshtein(one.split(), other.split())
        ways = [min(words / max(len(text.split()), 1), 1.0) for text in (one, other)]
        assert word_error_rate(one, other) == pytest.approx(np.mean(ways))


@pytest.mark.parametrize(("one", "other", "similarity", "rate"), [("", "", 1.0, 0.0), ("", "cat", 0.0, 1.0)])
def test_empty_texts_agree_with_each_other_and_with_nothing_else(one, other, similarity, rate):
    assert edit_similarity(one, other) == similarity
    assert character_error_rate(one, other) == word_error_rate(one, other) == rate


def test_folding_hides_case_white_space_and_how_characters_are_encoded():
    rows = [(1, "a", "Caf\u00e9  noir "), (1, "b", "cafe\u0301 noir")]
    assert of_all(rows)["edit_similarity"].value == 1.0
    assert of_all(rows, folded=False)["edit_similarity"].value < 1.0


def test_alpha_is_one_less_observed_by_expected_distance():
    rng = np.random.default_rng(1)
    said = [["".join(rng.choice(list("abc"), 4)) for _ in range(3)] for _ in range(15)]
    rows = [(unit, f"a{who}", text) for unit, row in enumerate(said) for who, text in enumerate(row)]
    apart = [[1 - edit_similarity(one, other) for other in row] for row in said for one in row]
    observed = np.sum(apart) / 2 / 45
    everyone = [text for row in said for text in row]
    expected = np.sum([1 - edit_similarity(one, other) for one in everyone for other in everyone]) / (45 * 44)
    found = of_all(rows)["krippendorff_alpha"]
    assert found.value == pytest.approx(1 - observed / expected)
    assert found.low < found.value < found.high
    assert (found.level, found.n_units, found.n_ratings) == ("edit_distance", 15, 45)


def test_alpha_of_many_texts_rests_on_a_seeded_draw_of_units(monkeypatch):
    monkeypatch.setattr(texts, "MOST_CATEGORIES", 40)
    rng = np.random.default_rng(2)
    words = ["".join(rng.choice(list("abcdef"), 8)) for _ in range(100)]
    rows = [(unit, who, word + who * (unit % 2)) for unit, word in enumerate(words) for who in "ab"]
    one, same, other = (of_all(rows, seed=seed)["krippendorff_alpha"] for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert 15 < one.n_units < 40
    assert one.n_ratings == 2 * one.n_units


def test_one_text_everywhere_and_one_annotator_are_reasons():
    assert (
        "same value" in of_all([(unit, who, "x") for unit in range(6) for who in "ab"])["krippendorff_alpha"].reason
    )
    assert all("fewer than" in figure.reason for figure in of_all([(1, "a", "x")]).values())


@pytest.mark.parametrize(("value", "metric"), [(3.0, "edit_similarity"), ("x", "bleu")])
def test_numbers_and_unknown_metrics_are_refused(value, metric):
    with pytest.raises(InputError):
        text_figures(answers((1, "a", value)), [metric])


def test_more_noise_is_less_agreement():
    values = []
    for noise in (0.05, 0.2, 0.6):
        rng = np.random.default_rng(3)
        words = rng.choice(list("abcdef"), (40, 12))
        heard = {who: np.where(rng.random(words.shape) < noise, "x", words) for who in "abc"}
        rows = [(unit, who, "".join(row)) for who, rows in heard.items() for unit, row in enumerate(rows)]
        values.append([figure.value for figure in of_all(rows).values()])
    similarity, characters, words, alpha = zip(*values, strict=True)
    assert list(similarity) == sorted(similarity, reverse=True)
    assert list(alpha) == sorted(alpha, reverse=True)
    assert list(characters) == sorted(characters)
    assert list(words) == sorted(words)


def test_the_medoid_is_nearest_to_the_others_and_written_as_most_write_it():
    rows = [(1, "a", "The cat"), (1, "b", "the cat"), (1, "c", "the cat"), (1, "d", "the bat"), (1, "e", "a dog")]
    (row,) = text_medoid(answers(*rows)).to_pylist()
    assert (row["label"], row["n"]) == ("the cat", 5)
    assert row["confidence"] == pytest.approx((1 + 1 + 6 / 7 + edit_similarity("the cat", "a dog")) / 4)


def test_two_different_texts_tie():
    rows = [(1, "a", "cats"), (1, "b", "cat"), (2, "a", "dog"), (3, "a", ""), (3, "b", "")]
    first, alone, empty = text_medoid(answers(*rows)).to_pylist()
    assert (first["label"], first["confidence"]) == (None, 0.75)
    assert (alone["label"], alone["confidence"]) == ("dog", 1.0)
    assert (empty["label"], empty["confidence"]) == ("", 1.0)
    assert text_medoid(answers(*rows), break_ties=True)["label"][0].as_py() == "cat"


def test_no_texts_give_an_empty_table():
    assert text_medoid(answers((1, "a", None))).num_rows == 0
