"""Plain answers, read many annotations at once, are those that are read one by one with every check."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelloop.answer_columns import AnswerColumns
from labelloop.interface import Asked, parse
from labelloop.plain_answers import plain_answers

BOX = {"x": 10, "y": 20.5, "width": 30, "height": 5, "rotation": 0}


def item(value, kind="choices", control="q", **more):
    return {"from_name": control, "to_name": "object", "type": kind, "value": value, **more}


def box(name, control="m", **more):
    return item(BOX | {"rectanglelabels": ["car"]} | more, "rectanglelabels", control, id=name)


PLAIN = [
    item({"choices": ["a"]}, id="c"),
    item({"choices": ["b", "a"]}, control="r"),
    item({"rating": 4}, "rating", "stars"),
    item({"number": -2.5}, "number", "how many"),
    item({"text": ["one", "two"]}, "textarea", "words", id="t"),
    item({"text": "one"}, "textarea", "word"),
    box("b1"),
    box("b2", rectanglelabels=["car", "bus"], ocrtext="KA 1"),
    box("b3", "other", rectanglelabels=[]),
]
ODD = [None, True, 0, -2.5, 10**30, 10**400, 1e308, float("nan"), "", "a", "b1", "q", "m", "\ud800", [], ["car"]]
ODD += [["a", "a"], [1], {}, [[1, 2], [3, 4]], {"choices": ["a"]}, "relation", "rectangle", "choices", "labels"]
KEYS = [*BOX, "choices", "rectanglelabels", "rating", "text", "ocrtext", "sequence", "ranges", "value", "type", "id"]
CHANGES = st.lists(
    st.tuples(st.integers(0, 9), st.sampled_from([*KEYS, "from_name"]), st.sampled_from(ODD)), max_size=3
)
ASKED = {
    "q": Asked("choices", frozenset("ab"), multiple=False),
    "r": Asked("choices", frozenset("ab"), multiple=False),
    "m": Asked("rectangle", frozenset(["car"])),
    "word": Asked("taxonomy", frozenset([("a",)])),
}


def changed(result, changes):
    """The items with some of what they say replaced, or as a whole where they say no such thing."""
    found = [{**one, "value": dict(one["value"])} for one in result]
    for place, key, odd in changes if found else ():
        one = found[place % len(found)]
        inside = key in one or key not in KEYS or not isinstance(one["value"], dict)
        (one if inside else one["value"])[key] = odd
    return found


def raw(result):
    """As a server might send it: spaces, NaN and half characters and all."""
    return msgspec.Raw(json.dumps(result).encode())


def one_by_one(results, asked, places):
    """The answers to results at some places, and whether any was refused."""
    columns, any_refused = AnswerColumns(), False
    for place in places:
        answers, refused = parse(msgspec.json.decode(results[place]), asked)
        any_refused |= bool(refused)
        for answer in answers:
            columns.add(place, answer)
    return columns.places, columns.table(), any_refused


RESULTS = st.lists(st.tuples(st.lists(st.sampled_from(PLAIN), max_size=5), CHANGES), max_size=4)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, derandomize=True)
@given(RESULTS, st.sampled_from([{}, ASKED]))
def test_what_is_read_at_once_is_what_is_read_one_by_one_with_every_check(drawn, asked):
    results = [raw(changed(result, changes)) for result, changes in drawn]
    found = plain_answers(results, asked)
    places, table, any_refused = one_by_one(results, asked, np.flatnonzero(~found.left).tolist())
    assert not any_refused
    assert found.places.tolist() == places
    assert found.said.drop_columns("raw").equals(table.drop_columns("raw"))
    assert [*map(json.loads, found.said["raw"].to_pylist())] == [*map(json.loads, table["raw"].to_pylist())]


@pytest.mark.parametrize("asked", [{}, ASKED | {"r": Asked("choices", multiple=True), "word": Asked("text")}])
def test_values_of_the_whole_and_labelled_boxes_are_not_left(asked):
    asked = asked and asked | {"m": Asked("rectangle", frozenset(["car", "bus"]))}
    found = plain_answers([raw(PLAIN), raw([])], asked)
    assert found.left.tolist() == [False, False]
    assert len(found.places) == len(PLAIN) - 1  # two boxes are one answer
    assert found.said["control"].to_pylist() == list(dict.fromkeys(one["from_name"] for one in PLAIN))


@pytest.mark.parametrize(
    "odd",
    [
        [box("b1"), item({"choices": ["a"]}, id="b1")],  # it is asked of the box
        [box("b1"), box("b1")],
        [PLAIN[0], PLAIN[0]],
        [item({"choices": ["a", "a"]})],
        [box("b1", "q"), PLAIN[0]],
        [box("b1", sequence=[])],
        [box("b1", x=-(10**30))],
        [item({"rating": 10**30}, "rating")],
        [item({"taxonomy": [["a"]]}, "taxonomy")],
        {"q": "a"},
    ],
)
def test_what_is_not_plain_is_left_and_its_neighbours_are_not(odd):
    found = plain_answers([raw([PLAIN[0]]), raw(odd), raw(PLAIN)], {})
    assert found.left.tolist() == [False, True, False]


def test_items_of_one_control_are_one_answer_wherever_they_stand():
    found = plain_answers([raw([box("b1"), PLAIN[0], box("b2")]), raw([box("b3"), box("b1", "n")])], {})
    assert found.places.tolist() == [0, 0, 1, 1]
    assert found.said["control"].to_pylist() == ["m", "q", "m", "n"]
    marks = [[region["region_id"] for region in regions or ()] for regions in found.said["regions"].to_pylist()]
    assert marks == [["b1", "b2"], [], ["b3"], ["b1"]]
    assert [one["id"] for one in json.loads(found.said["raw"][0].as_py())] == ["b1", "b2"]


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("text", ["é 😀", "\\", '"', "x" * 600], ids=["letters", "backslash", "quote", "long"])
def test_items_are_kept_as_they_were_stored_but_for_blanks_between_them(text, escaped):
    given = item({"text": f" {text} : [ "}, "textarea", extra=[5e-05, 1e16, {"deep": []}])
    found = plain_answers([msgspec.Raw(json.dumps([given], ensure_ascii=escaped, indent=1).encode())], {})
    (kept,) = found.said["raw"].to_pylist()
    assert json.loads(kept) == [given]
    assert kept.startswith('[{"from_name":"q","to_name":')
    assert "\n" not in kept


def test_a_text_that_is_none_is_left():
    stored = json.dumps([item({"choices": ["a"]}, extra="?")]).encode()
    assert plain_answers([msgspec.Raw(stored), msgspec.Raw(stored.replace(b"?", b"\xff"))], {}).left.tolist() == [
        0,
        1,
    ]
