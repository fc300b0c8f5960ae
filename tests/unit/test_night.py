"""The night: opinions become figures and labels, rulings win, and what did not change is not written again."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa

from labelloop.annotators import annotator_rows
from labelloop.contracts import contract
from labelloop.labels import keep_times, label_rows
from labelloop.night import agreement_rows
from labelloop.simulation import SimulatedAnnotator
from tests.builders.answers import NOW, answer

DIGITS = [str(d) for d in range(10)]
ERRORS = {"a-anna": 0.04, "a-ben": 0.04, "a-careless": 0.25, "a-dora": 0.06}


def answers(n: int = 60, errors: dict[str, float] = ERRORS) -> list[dict]:
    people = [SimulatedAnnotator(name, rate, seed=1) for name, rate in errors.items()]
    rows = []
    for i in range(n):
        for person in people:
            value = person.answer(f"unit-{i}", DIGITS[i % 10], DIGITS)
            rows.append(answer(f"{i:032x}", person.name, value))
    return rows


def table(name: str, rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=contract(name).schema)


def people(*names: str, level: str = "annotator") -> pa.Table:
    rows = [{"annotator": n, "level": level, "n": 0, "flagged": False, "measured_at": NOW} for n in names]
    return table("annotators", rows)


def labels_of(
    rows: list[dict], *, experts: tuple[str, ...] = (), present: pa.Table | None = None, at=NOW
) -> pa.Table:
    present = present if present is not None else table("labels", [])
    given = {"units": table("units", []), "experts": experts, "accept_confidence": 0.7, "at": at}
    return keep_times(label_rows(table("annotations", rows), **given), present)


def test_every_scope_has_figures_and_adaptive_opinions_change_none_of_them():
    rows = answers(30)
    before = agreement_rows(table("annotations", rows), round=1, n_min=5, seed=0, at=NOW)
    rows += [answer(f"{i:032x}", "a-extra", "9", opinion_reason="adaptive") for i in range(30)]
    after = agreement_rows(table("annotations", rows), round=1, n_min=5, seed=0, at=NOW)
    assert before.equals(after)
    assert set(before["scope"].to_pylist()) == {"project", "label", "population", "change", "pair", "annotator"}
    alpha = [r for r in before.to_pylist() if r["metric"] == "krippendorff_alpha"]
    assert alpha[0]["low"] < alpha[0]["value"] < alpha[0]["high"]


def test_a_figure_that_cannot_be_given_says_why():
    figures = agreement_rows(table("annotations", answers(2)), round=1, n_min=5, seed=0, at=NOW).to_pylist()
    assert all(f["value"] is None and f["reason"] for f in figures)


def test_the_careless_annotator_is_flagged_and_the_others_are_not():
    rows = annotator_rows(table("annotations", answers(90)), people(*ERRORS), table("labels", []), at=NOW).to_pylist()
    assert [r["annotator"] for r in rows if r["flagged"]] == ["a-careless"]
    assert all(r["n"] == 90 or r["n"] > 80 for r in rows)


def test_the_night_says_of_each_annotator_what_they_confuse_how_skilled_they_are_and_what_they_cost():
    rows = answers(90)
    labels = labels_of(rows)
    found = annotator_rows(table("annotations", rows), people(*ERRORS), labels, at=NOW, hourly_rate=20.0).to_pylist()
    careless = next(row for row in found if row["flagged"])
    careful = next(row for row in found if row["annotator"] == "a-anna")
    assert careless["skill_high"] < careful["skill"]
    assert careless["cost_per_accepted"] > careful["cost_per_accepted"]
    assert careful["hours"] == 90 * 3.0 / 3600
    wrong = [
        sum(cell["n"] for cell in r["confusion"] if cell["truth"] != cell["answer"]) for r in (careless, careful)
    ]
    assert wrong[0] > wrong[1]


def test_where_figures_of_people_are_off_there_are_none():
    rows = answers(90)
    found = annotator_rows(table("annotations", rows), people(*ERRORS), labels_of(rows), at=NOW, figures=False)
    kept = {"annotator", "level", "n", "flagged", "confusion", "measured_at"}
    assert all(row[name] is None for row in found.to_pylist() for name in set(row) - kept)
    assert {(row["n"], row["flagged"], len(row["confusion"])) for row in found.to_pylist()} == {(0, False, 0)}
    figures = agreement_rows(table("annotations", rows), round=1, n_min=5, seed=0, at=NOW, per_person=False)
    assert set(figures["scope"].to_pylist()) == {"project", "label", "population", "change"}


def test_an_annotator_without_answers_keeps_a_row_without_figures():
    row = annotator_rows(table("annotations", []), people("a-new"), table("labels", []), at=NOW).to_pylist()[0]
    assert (row["n"], row["accuracy"], row["flagged"]) == (0, None, False)


def test_a_ruling_wins_over_any_number_of_opinions():
    rows = answers(20)
    unit = rows[0]["unit_id"]
    rows.append(answer(unit, "e-expert", "7"))
    label = {r["unit_id"]: r for r in labels_of(rows, experts=("e-expert",)).to_pylist()}[unit]
    assert (label["label"], label["confidence"], label["decided_by"]) == ("7", 1.0, "expert")


def test_a_unit_that_only_the_expert_answered_is_labelled():
    rows = [*answers(20), answer("f" * 32, "e-expert", "7")]
    label = {r["unit_id"]: r for r in labels_of(rows, experts=("e-expert",)).to_pylist()}["f" * 32]
    assert (label["label"], label["decided_by"], label["state"]) == ("7", "expert", "accepted")


def test_two_against_two_is_a_conflict_and_not_a_label():
    rows = [answer("0" * 32, who, value) for who, value in zip("abcd", "1122", strict=True)]
    label = labels_of(rows).to_pylist()[0]
    assert (label["state"], label["label"]) == ("conflict", None)


def test_a_night_without_news_changes_nothing():
    rows = answers(20)
    first = labels_of(rows)
    assert labels_of(rows, present=first, at=NOW + timedelta(days=1)).equals(first)


def test_no_answers_give_no_rows():
    assert labels_of([]).num_rows == 0
    assert agreement_rows(table("annotations", []), round=1, n_min=5, seed=0, at=NOW).num_rows == 0
