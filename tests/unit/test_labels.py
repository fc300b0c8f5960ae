"""Labels of every kind of answer, and what counts beside annotators: imported labels, gold, a model."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labelloop.beside import Beside
from labelloop.opinions import opinions
from tests.builders.answers import answer
from tests.builders.resolved import labels_of, said
from tests.builders.rows import hex_id, rows_of

PAIR = [{"unit_id": hex_id(0), "kind": "pair", "ref_ids": [hex_id(8), hex_id(9)]}]


def ranked(*items, bucket=None):
    return [{"item": item, "rank": rank, "bucket": bucket} for rank, item in enumerate(items, 1)]


@pytest.mark.parametrize(
    ("answers", "label", "method"),
    [
        (said("rating", "number", 2.0, 4.0, 10.0), "4", "median"),
        (said("number", "number", 0.5, 0.5), "0.5", "median"),
        (said("datetime", "text", "2026-01-05", "2026-01-05"), "2026-01-05", "dawid-skene"),
        (said("text", "text", "a cat", "a cat", "cut"), "a cat", "text-medoid"),
        (said("taxonomy", "paths", [["animal", "cat"]], [["animal", "cat"]]), '[["animal", "cat"]]', "dawid-skene"),
        (said("pairwise", "choices", ["right"], ["right"]), "right", "bradley-terry"),
        (said("ranking", "ranked", ranked("y", "x"), ranked("y", "x")), '["y", "x"]', "plackett-luce"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_kind_of_answer_has_its_method(answers, label, method):
    (found,) = labels_of(answers, units=PAIR).values()
    assert (found["label"], found["method"], found["n"]) == (label, method, len(answers))
    assert len(found["classes"]) == len(found["probabilities"])


@pytest.mark.parametrize(
    "answers",
    [
        said("text", "text", "a cat", "a cut"),
        said("rating", "number", 2.0, 4.0),
        said("pairwise", "choices", ["right"], ["left"]),
        said("ranking", "ranked", ranked("y", "x"), ranked("x", "y")),
    ],
    ids=lambda rows: rows[0]["control_type"],
)
def test_an_expert_settles_what_ties(answers):
    assert labels_of(answers, units=PAIR)[hex_id(0)]["state"] == "conflict"
    ruling = answers[0] | {"annotation_id": "ruling", "annotator": "expert"}
    found = labels_of([*answers, ruling], experts=["expert"], units=PAIR)[hex_id(0)]
    assert (found["state"], found["decided_by"], found["confidence"], found["n"]) == ("accepted", "expert", 1.0, 2)


def test_two_fields_of_a_record_are_decided_by_the_side_that_was_chosen():
    found = labels_of(said("pairwise", "choices", ["right"], ["right"], ["left"]))[hex_id(0)]
    assert (found["label"], found["method"], found["n"]) == ("right", "dawid-skene", 3)
    tied = said("pairwise", "choices", ["right"], ["left"])
    assert labels_of(tied)[hex_id(0)]["state"] == "conflict"
    ruled = labels_of([*tied, tied[0] | {"annotation_id": "r", "annotator": "expert"}], experts=["expert"])
    assert (ruled[hex_id(0)]["label"], ruled[hex_id(0)]["decided_by"]) == ("right", "expert")


def test_numbers_that_all_differ_keep_only_their_own_classes():
    answers = [row for unit in range(50) for row in said("number", "number", unit + 0.1, unit + 0.4, 99.5, unit=unit)]
    ruling = answers[0] | {"annotation_id": "ruling", "annotator": "expert", "number": 7.25}
    alone = answers[0] | {"annotation_id": "alone", "annotator": "expert", "number": 8.5, "unit_id": hex_id(60)}
    found = labels_of([*answers, ruling, alone], experts=["expert"])
    assert (found[hex_id(3)]["label"], found[hex_id(3)]["classes"]) == ("3.4", ["3.1", "3.4", "99.5"])
    assert found[hex_id(3)]["confidence"] == pytest.approx(1 / 3)
    assert [(found[hex_id(u)]["label"], found[hex_id(u)]["n"]) for u in (0, 60)] == [("7.25", 3), ("8.5", 0)]
    assert found[hex_id(0)]["decided_by"] == "expert"


def test_a_text_that_only_an_expert_wrote_is_the_label():
    found = labels_of(said("text", "text", "a cat", control="x"), experts=["x-a"])[hex_id(0)]
    assert (found["label"], found["decided_by"], found["n"]) == ("a cat", "expert", 0)


def test_a_remark_is_never_a_conflict_and_the_most_central_one_is_kept():
    answers = said("text", "text", "too dark", "out of focus")
    assert labels_of(answers)[hex_id(0)]["state"] == "conflict"
    found = labels_of(answers, remarks=["digit"])[hex_id(0)]
    assert (found["label"], found["state"], found["n"]) == ("too dark", "accepted", 2)
    assert found["confidence"] < 0.5


def test_an_empty_answer_is_no_opinion():
    answers = rows_of("annotations", said("choices", "choices", [], None, ["1"]))
    assert opinions(answers, "digit")["annotator"].to_pylist() == ["digit-c"]


def beside(*rows):
    names = ("control", "unit", "annotator", "value")
    return pa.table({name: pa.array([row[at] for row in rows], pa.string()) for at, name in enumerate(names)})


def test_an_imported_label_counts_as_one_more_annotator():
    rows = [*said("choices", "choices", ["1"], ["2"])]
    assert labels_of(rows)[hex_id(0)]["label"] is None
    more = Beside(opinions=beside(("digit", hex_id(0), "imported:old", "2")))
    found = labels_of(rows, beside=more, method="majority")[hex_id(0)]
    assert (found["label"], found["n"], found["decided_by"]) == ("2", 3, "consensus")


def test_a_question_that_only_imported_labels_answer_is_resolved():
    gold = beside(("digit", hex_id(0), "", "2")).drop_columns("annotator")
    assert labels_of([], beside=Beside(gold=gold))[hex_id(0)]["label"] == "2"


def test_imported_gold_wins_over_votes_but_not_over_an_expert():
    rows = [*said("choices", "choices", ["1"], ["1"]), *said("choices", "choices", ["1"], unit=1)]
    rows.append(answer(hex_id(1), "expert", "3"))
    gold = beside(*(("digit", hex_id(unit), "", "2") for unit in (0, 1))).drop_columns("annotator")
    found = labels_of(rows, experts=["expert"], beside=Beside(gold=gold))
    assert [(found[hex_id(k)]["label"], found[hex_id(k)]["decided_by"]) for k in (0, 1)] == [
        ("2", "gold"),
        ("3", "expert"),
    ]
