"""Answers of every kind are compared, and every question has the one figure that the gate looks at."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from labelloop.agreement.question import COMPARED_BY, RELATIONS
from labelloop.agreement.table import DECISIVE
from labelloop.contracts import contract, expectations
from labelloop.night import agreement_rows, rows_of_tallies
from labelloop.scoped_figures import Beside
from labelloop.spec.question import CONTROL_TYPES
from labelloop.tallies.answers import Known
from labelloop.tallies.counting import counted
from tests.builders.answers import NOW, answer
from tests.builders.every_kind import EVERY_KIND, LABELS, answers_of

ALLOWED = {
    rule.column: dict(rule.arguments)["value_set"]
    for rule in expectations(contract("agreement"))
    if rule.rule == "allowed"
}


def annotations(rows):
    return pa.Table.from_pylist(list(rows), schema=contract("annotations").schema)


def measured(rows, **settings):
    return agreement_rows(annotations(rows), round=1, n_min=5, seed=0, at=NOW, **settings)


def of_project(rows, **settings):
    found = measured(rows, **settings).to_pylist()
    return {row["metric"]: row for row in found if row["scope"] == "project"}


def test_there_is_a_line_for_every_kind_of_question():
    assert set(COMPARED_BY) == set(CONTROL_TYPES) == set(EVERY_KIND)


@pytest.mark.parametrize("kind", sorted(set(CONTROL_TYPES) - {"relation"}))
def test_every_kind_has_figures_with_intervals_and_one_that_decides(kind):
    rows = measured(answers_of(kind))
    assert all(set(rows[name].to_pylist()) <= set(allowed) for name, allowed in ALLOWED.items())
    project = [row for row in rows.to_pylist() if row["scope"] == "project"]
    assert all(row["reason"] or row["low"] <= row["value"] <= row["high"] for row in project)
    (decisive,) = (row for row in project if row["metric"] in DECISIVE)
    assert 0.1 < decisive["value"] < 1.0
    assert decisive["n_units"] >= 12
    pairs = {row["who"] for row in rows.to_pylist() if row["scope"] == "pair"}
    assert pairs == {"a-anna a-ben", "a-anna a-cora", "a-ben a-cora"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(set(CONTROL_TYPES) - {"relation"}))
def test_annotators_who_say_the_same_agree_wholly_and_noise_makes_it_less(kind):
    def decisive(errors):
        found = of_project(answers_of(kind, errors=errors))
        return next(row["value"] for name, row in found.items() if name in DECISIVE)

    assert decisive(0.0) == pytest.approx(1.0)
    assert 1.0 > decisive(0.2) > decisive(0.9)


def test_relations_are_a_reason():
    (row,) = of_project(answers_of("relation")).values()
    assert (row["value"], row["reason"]) == (None, RELATIONS)


def test_several_choices_are_a_set():
    rows = [
        answer(f"{unit:032x}", who, "", choices=list(LABELS[: 1 + (unit + bool(who == "b" and unit == 3)) % 3]))
        for unit in range(9)
        for who in "ab"
    ]
    found = of_project(rows)
    assert found["krippendorff_alpha"]["level"] == "masi"
    assert found["percent_agreement"]["value"] == pytest.approx(8 / 9)


def test_a_triage_is_compared_in_the_order_of_its_buckets():
    def rows(of_the_other):
        for unit in range(8):
            for who, bucket in (("a", "keep"), ("b", of_the_other if unit == 0 else "keep")):
                ranked = [
                    {"item": "x", "rank": 0, "bucket": bucket},
                    {"item": "y", "rank": 0, "bucket": "drop" if unit % 2 else "maybe"},
                    {"item": "z", "rank": 0, "bucket": "_"},
                ]
                yield answer(f"{unit:032x}", who, "", choices=None, ranked=ranked, control_type="ranking")

    def alpha(of_the_other):
        buckets = {"digit": ("keep", "maybe", "drop")}
        return of_project(rows(of_the_other), buckets=buckets)["krippendorff_alpha"]

    assert alpha("maybe")["value"] > alpha("drop")["value"]
    assert alpha("maybe")["n_units"] == 16


@pytest.mark.parametrize("kind", ["choices", "rating", "number", "text"])
def test_what_is_asked_of_each_region_is_compared_on_the_same_object(kind):
    said = {
        "choices": lambda at: {"choices": [LABELS[at % 3]]},
        "rating": lambda at: {"number": float(at % 5)},
        "number": lambda at: {"number": float(at)},
        "text": lambda at: {"text": LABELS[at % 3] * 2},
    }

    def rows():
        for unit in range(10):
            for who in "ab":
                shared = {"annotation_id": f"{unit}-{who}", "choices": None}
                box = {"region_id": f"{who}{unit}", "labels": ["cat"], "points": [1.0, 1.0, 9.0, 9.0]}
                yield answer(
                    f"{unit:032x}", who, "", control="box", control_type="rectangle", regions=[box], **shared
                )
                of_box = {"region_id": box["region_id"], **said[kind](unit + bool(who == "b" and unit == 3))}
                yield answer(f"{unit:032x}", who, "", control="q", control_type=kind, per_region=[of_box], **shared)

    found = [row for row in measured(rows()).to_pylist() if row["control"] == "q" and row["scope"] == "project"]
    (alpha,) = (row for row in found if row["metric"] in DECISIVE)
    assert 0.5 < alpha["value"] < 1.0
    assert alpha["n_units"] == 10


def test_windows_guidelines_and_predictions_have_figures_of_their_own():
    rng = np.random.default_rng(0)
    rows = []
    for unit in range(40):
        later = {"guideline_version": "h", "prediction_shown": True, "updated_at": NOW + timedelta(days=7)}
        for who in "ab":
            value = LABELS[unit % 3] if unit >= 20 else LABELS[int(rng.integers(3))]
            rows.append(answer(f"{unit:032x}", who, value, **(later if unit >= 20 else {})))
    found = measured(rows).to_pylist()
    alpha = {(r["scope"], r["who"]): r["value"] for r in found if r["metric"] == "krippendorff_alpha"}
    for scope, early, late in (
        ("guidelines", "g", "h"),
        ("predictions", "hidden", "shown"),
        ("window", "2026-01-05", "2026-01-12"),
    ):
        assert alpha[scope, late] == 1.0 > alpha[scope, early]


def test_each_label_is_compared_with_all_others():
    rows = [
        answer(f"{unit:032x}", who, LABELS[unit % 3] if who == "a" or unit % 3 == 0 else LABELS[1 + unit % 2])
        for unit in range(30)
        for who in "ab"
    ]
    of_label = {row["who"]: row["value"] for row in measured(rows).to_pylist() if row["scope"] == "label"}
    assert of_label["cat"] == 1.0 > max(of_label["dog"], of_label["bird"])


def batch(unit, stratum="audit", round=1, chance=0.1):
    return {"unit_id": f"{unit:032x}", "round": round, "stratum": stratum, "inclusion_probability": chance}


def of_population(rows, batches):
    schema = contract("batches").schema
    beside = Beside(batches=pa.Table.from_pylist(batches, schema=pa.schema([f.with_nullable(True) for f in schema])))
    return next(row for row in measured(rows, beside=beside).to_pylist() if row["scope"] == "population")


def test_the_population_is_told_by_audit_units_each_weighing_what_it_stands_for():
    agree = [answer(f"{unit:032x}", who, "x") for unit in range(40) for who in "ab"]
    apart = [answer(f"{unit:032x}", who, who) for unit in range(40, 80) for who in "ab"]
    batches = [batch(unit, chance=0.1 if unit < 40 else 0.3) for unit in range(0, 80, 2)]
    batches += [batch(unit, "exploit", chance=None) for unit in range(1, 80, 2)]
    found = of_population(agree + apart, batches)
    assert found["value"] == pytest.approx(0.75)
    assert found["low"] < 0.75 < found["high"]
    assert found["n_units"] == 40


def test_an_open_batch_says_how_many_audit_units_are_answered_and_gives_no_figure():
    rows = [answer(f"{unit:032x}", who, "x") for unit in range(9) for who in "ab"]
    found = of_population(rows, [batch(unit) for unit in range(10)])
    assert found["reason"] == "not estimable: audit units answered: 9 of 10, in closed batches twice: 0"
    assert of_population(rows, [batch(unit) for unit in range(9)])["value"] == 1.0


def test_an_annotator_is_compared_with_the_answers_given_before():
    rows, units = [], []
    for unit in range(20):
        same = {"ref_ids": [f"{unit % 10:032x}"], "media_versions": ["v"], "kind": "single"}
        units.append({"unit_id": f"{unit:032x}", **same})
        for who in "ab":
            value = "x" if unit < 10 else "y" if who == "b" and unit < 14 else "x"
            rows.append(answer(f"{unit:032x}", who, value, updated_at=NOW + timedelta(days=unit)))
    schema = contract("units").schema
    table = pa.Table.from_pylist(units, schema=pa.schema([f.with_nullable(True) for f in schema]))
    found = measured(rows, beside=Beside(units=table)).to_pylist()
    own = {row["who"]: (row["value"], row["n_units"]) for row in found if row["metric"] == "repeat_agreement"}
    assert own == {"a": (1.0, 10), "b": (0.6, 10)}


def test_a_model_is_compared_with_the_people_in_a_scope_of_its_own():
    rows = [answer(f"{unit:032x}", who, LABELS[unit % 3]) for unit in range(12) for who in "ab"]
    said = [LABELS[0] if unit < 6 else LABELS[unit % 3] for unit in range(40)]
    names = [f"{unit:032x}" for unit in range(40)]
    model = pa.table({"control": ["digit"] * 40, "unit": names, "annotator": ["model:m1"] * 40, "value": said})
    found = measured(rows, beside=Beside(model=model)).to_pylist()
    own = {row["metric"]: row for row in found if row["scope"] == "model"}
    assert own["percent_agreement"]["value"] == pytest.approx(8 / 12)
    assert {row["who"] for row in own.values()} == {"model:m1"}
    assert measured(rows).num_rows == len(found) - len(own)


def test_sets_have_changes_of_agreement_as_well():
    rows = [
        answer(f"{unit:032x}", who, "", choices=list(LABELS[: 1 + unit % 3])) for unit in range(20) for who in "ab"
    ]
    changes = {row["metric"] for row in measured(rows).to_pylist() if row["scope"] == "change"}
    assert changes == {"drift", "fatigue", "slowing", "prediction_effect"}


def test_each_label_of_regions_is_compared_on_matched_places():
    def drawn(unit, who):
        labels = [LABELS[0], LABELS[1] if who == "a" or unit % 2 else LABELS[2]]
        return [
            {"region_id": f"{at}", "labels": [label], "points": [30.0 * at, 1.0, 20.0, 20.0 if who == "a" else 10.0]}
            for at, label in enumerate(labels)
        ]

    rows = [
        answer(f"{unit:032x}", who, "", choices=None, control_type="rectangle", regions=drawn(unit, who))
        for unit in range(10)
        for who in "ab"
    ]
    found = [row for row in measured(rows).to_pylist() if row["scope"] == "label"]
    value = {(row["who"], row["metric"]): (row["value"], row["n_units"]) for row in found}
    # Half of the boxes one calls a dog the other calls a bird; all are matched, at half their area.
    assert value == {
        ("cat", "f1"): (1.0, 10),
        ("cat", "mean_iou"): (0.5, 10),
        ("dog", "f1"): (0.5, 10),
        ("dog", "mean_iou"): (0.25, 10),
        ("bird", "f1"): (0.0, 5),
        ("bird", "mean_iou"): (0.0, 5),
    }


def test_who_takes_the_left_item_too_often_is_told():
    rng = np.random.default_rng(0)
    sides = [("left", "right")[int(rng.integers(2))] for _ in range(40)]
    rows = [
        answer(f"{unit:032x}", who, side if who == "a" or unit % 2 else "left", control_type="pairwise")
        for unit, side in enumerate(sides)
        for who in "ab"
    ]
    found = {row["who"]: row for row in measured(rows).to_pylist() if row["metric"] == "position_bias"}
    assert found["a"]["low"] < 0 < found["a"]["high"]
    assert 0 < found["b"]["low"] < found["b"]["value"] == pytest.approx(sides[1::2].count("left") / 40)
    tallies = counted(annotations(rows), Known())
    again = rows_of_tallies(tallies, 0, round=1, n_min=5, seed=0, at=NOW).to_pylist()
    assert {row["who"]: row for row in again if row["metric"] == "position_bias"} == found
