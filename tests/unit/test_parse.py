"""Answers as Label Studio stores them, of every control, read into typed values or refused with the reason."""

from __future__ import annotations

import json

import pytest

from labelloop.interface import COLUMNS, Asked, asked_by, parse
from labelloop.spec.interface import Interface, Label, Question

BOX = {"x": 10, "y": 20.5, "width": 30, "height": 5, "rotation": 0}


def item(value, kind="choices", control="q", **more):
    return {"from_name": control, "to_name": "object", "type": kind, "value": value, **more}


def mark(value, kind, region="r1", control="m", **more):
    return item(value, kind, control, id=region, **more)


def only(*items, asked=None):
    answers, refused = parse(items, asked or {})
    assert refused == []
    (answer,) = answers
    assert answer.column in COLUMNS
    assert json.loads(answer.raw) == list(items)
    return answer


def reason(*items, asked=None):
    answers, refused = parse(items, asked or {})
    assert answers == []
    ((_, told),) = refused
    return told


@pytest.mark.parametrize(
    ("value", "kind", "control_type", "column", "wanted"),
    [
        ({"choices": ["a"]}, "choices", "choices", "choices", ["a"]),
        ({"selected": "right"}, "pairwise", "pairwise", "choices", ["right"]),
        ({"taxonomy": [["cat"], ["dog", "pug"]]}, "taxonomy", "taxonomy", "paths", [["cat"], ["dog", "pug"]]),
        ({"taxonomy": [["orange", "orange"]]}, "taxonomy", "taxonomy", "paths", [["orange", "orange"]]),
        ({"rating": 4}, "rating", "rating", "number", 4.0),
        ({"number": 2.5}, "number", "number", "number", 2.5),
        ({"text": ["one", "two"]}, "textarea", "text", "text", "one\ntwo"),
        ({"text": "one"}, "textarea", "text", "text", "one"),
        ({"datetime": "2026-11-02T07:00"}, "datetime", "datetime", "text", "2026-11-02T07:00"),
    ],
)
def test_a_value_goes_into_the_column_of_its_kind(value, kind, control_type, column, wanted):
    answer = only(item(value, kind))
    assert (answer.control, answer.control_type, answer.column, answer.value) == ("q", control_type, column, wanted)


class TestRankings:
    def test_one_list_has_places_and_no_bucket(self):
        answer = only(item({"ranker": {"order": ["x2", "x1"]}}, "ranker", "order"))
        assert (answer.control_type, answer.column) == ("ranking", "ranked")
        assert answer.value == [("x2", 0, None), ("x1", 1, None)]

    def test_items_keep_their_order_within_each_bucket_and_the_unsorted_are_told(self):
        stored = {"_": ["i0"], "best": ["i2", "i1"], "worst": []}
        answer = only(item({"ranker": stored}, "ranker"))
        assert answer.value == [("i0", 0, "_"), ("i2", 0, "best"), ("i1", 1, "best")]

    def test_buckets_come_by_name_in_whatever_order_a_database_gives_them(self):
        given = [("worst", ["c"]), ("_", []), ("best", ["a", "b"])]
        found = [only(item({"ranker": dict(order)}, "ranker")).value for order in (given, given[::-1])]
        assert found[0] == found[1] == [("a", 0, "best"), ("b", 1, "best"), ("c", 0, "worst")]

    def test_a_bucket_that_was_not_asked_for_is_refused(self):
        asked = {"q": Asked("ranking", frozenset(["best"]))}
        assert only(item({"ranker": {"_": ["a"], "best": ["b"]}}, "ranker"), asked=asked).column == "ranked"
        assert "none of the question's labels" in reason(item({"ranker": {"better": ["b"]}}, "ranker"), asked=asked)

    @pytest.mark.parametrize(
        ("stored", "told"),
        [
            (["a", "b"], "not given as lists"),
            ({}, "not given as lists"),
            ({"best": "a"}, "not a list"),
            ({"best": ["a", "a"]}, "repeated"),
            ({"best": ["a"], "worst": ["a"]}, "two buckets"),
        ],
    )
    def test_any_other_shape_is_refused(self, stored, told):
        assert told in reason(item({"ranker": stored}, "ranker"))


@pytest.mark.parametrize(
    ("value", "kind", "control_type", "points", "rotation"),
    [
        (BOX | {"rectanglelabels": ["car"]}, "rectanglelabels", "rectangle", [10.0, 20.5, 30.0, 5.0], 0.0),
        (BOX | {"labels": ["car"]}, "labels", "rectangle", [10.0, 20.5, 30.0, 5.0], 0.0),
        (BOX | {"ocrlabels": ["car"], "ocrtext": "KA 1"}, "ocrlabels", "rectangle", [10.0, 20.5, 30.0, 5.0], 0.0),
        ({"x": 1, "y": 2, "radiusX": 3, "radiusY": 4, "ellipselabels": ["car"]}, "ellipselabels", "ellipse",
         [1.0, 2.0, 3.0, 4.0], None),
        ({"points": [[1, 2], [3, 4], [5, 6]], "polygonlabels": ["car"]}, "polygonlabels", "polygon",
         [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], None),
        ({"x": 1, "y": 2, "width": 0.5, "keypointlabels": ["car"]}, "keypointlabels", "keypoint",
         [1.0, 2.0, 0.5], None),
        ({"x": 1, "y": 2, "keypointlabels": ["car"]}, "keypointlabels", "keypoint", [1.0, 2.0, None], None),
        ({"format": "rle", "rle": [0, 1], "brushlabels": ["car"]}, "brushlabels", "mask", [], None),
        ({"imageDataURL": "data:", "bitmasklabels": ["car"]}, "bitmasklabels", "mask", [], None),
    ],
)  # fmt: skip
def test_a_shape_on_an_image_is_a_region_in_percent(value, kind, control_type, points, rotation):
    answer = only(mark(value, kind))
    (region,) = answer.value
    assert (answer.control_type, answer.column) == (control_type, "regions")
    assert (region.region_id, region.labels, region.points, region.rotation) == ("r1", ["car"], points, rotation)
    assert region.text == value.get("ocrtext")


@pytest.mark.parametrize(
    ("value", "kind", "more", "control_type", "wanted"),
    [
        ({"start": 0, "end": 5, "text": "Alice", "labels": ["PER"]}, "labels", {}, "span", (0, 5, "Alice")),
        ({"start": 0, "end": 5, "labels": ["PER"]}, "labels", {}, "span", (0, 5, None)),
        ({"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]", "startOffset": 3, "endOffset": 8, "text": "Alice",
          "globalOffsets": {"start": 13, "end": 18}, "hypertextlabels": ["PER"]}, "hypertextlabels", {}, "span",
         (13, 18, "Alice")),
        ({"start": "2", "end": "2", "startOffset": 0, "endOffset": 5, "text": "Alice", "paragraphlabels": ["PER"]},
         "paragraphlabels", {}, "span", (None, None, "Alice")),
        ({"start": 1.5, "end": 2.5, "channel": 0, "labels": ["PER"]}, "labels", {}, "segment", (1.5, 2.5, None)),
        ({"start": 1.5, "end": 2.5, "labels": ["PER"]}, "labels", {"original_length": 9.5}, "segment",
         (1.5, 2.5, None)),
        ({"start": 3, "end": 3, "instant": True, "timeserieslabels": ["PER"]}, "timeserieslabels", {}, "segment",
         (3, 3, None)),
        ({"start": "1970-01-01 00:01:00", "end": "1970-01-01T00:02:00+00:00", "instant": False,
          "timeserieslabels": ["PER"]}, "timeserieslabels", {}, "segment", (60, 120, None)),
        ({"ranges": [{"start": 1, "end": 9}], "timelinelabels": ["PER"]}, "timelinelabels", {}, "timeline",
         (1, 9, None)),
    ],
)  # fmt: skip
def test_a_stretch_of_text_or_time_is_a_region_with_its_ends(value, kind, more, control_type, wanted):
    answer = only(mark(value, kind, **more))
    (region,) = answer.value
    assert (answer.control_type, answer.column, region.labels) == (control_type, "regions", ["PER"])
    assert (region.start, region.end, region.text) == wanted


def test_each_range_of_a_timeline_is_a_region_of_the_same_id():
    ranges = [{"start": 1, "end": 2}, {"start": 5, "end": 8}]
    answer = only(mark({"ranges": ranges, "timelinelabels": ["walks"]}, "timelinelabels"))
    assert [(region.region_id, region.start, region.end) for region in answer.value] == [("r1", 1, 2), ("r1", 5, 8)]


def test_a_track_has_its_key_frames():
    sequence = [BOX | {"frame": 1, "enabled": True, "time": 0.04}, BOX | {"frame": 7, "x": 50, "enabled": False}]
    answer = only(mark({"framesCount": 9, "sequence": sequence, "labels": ["car"]}, "videorectangle"))
    (region,) = answer.value
    assert (answer.control_type, region.labels) == ("track", ["car"])
    assert region.frames == [(1, [10, 20.5, 30, 5], 0, True), (7, [50, 20.5, 30, 5], 0, False)]


def test_all_marks_of_a_control_are_one_answer():
    boxes = [mark(BOX | {"rectanglelabels": [name]}, "rectanglelabels", name) for name in ("car", "bus")]
    assert [region.labels for region in only(*boxes).value] == [["car"], ["bus"]]


def test_one_bad_mark_refuses_the_answer_whole():
    boxes = [mark(BOX, "rectanglelabels", "a"), mark(BOX | {"x": None}, "rectanglelabels", "b")]
    assert reason(*boxes) == "its sides are not all numbers"


class TestShapesThatAnotherControlNames:
    shapes = (
        mark(BOX, "rectangle", "r1", "boxes"),
        mark({"points": [[1, 2], [3, 4]]}, "polygon", "p1", "outlines"),
        mark(BOX | {"labels": ["text"]}, "labels", "r1", "names"),
        mark({"points": [[1, 2], [3, 4]], "labels": ["seal"]}, "labels", "p1", "names"),
        mark(BOX | {"text": ["KA 1"]}, "textarea", "r1", "words"),
    )

    def read(self):
        answers, refused = parse(self.shapes, {"words": Asked("text")})
        assert refused == []
        return {answer.control: answer for answer in answers}

    def test_the_shapes_have_the_labels(self):
        found = self.read()
        assert [found[name].value[0].labels for name in ("boxes", "outlines")] == [["text"], ["seal"]]

    def test_the_names_are_choices_for_each_region_whatever_its_shape(self):
        names = self.read()["names"]
        assert (names.control_type, names.column) == ("choices", "per_region")
        assert [(one.region_id, one.choices) for one in names.value] == [("r1", ["text"]), ("p1", ["seal"])]

    def test_what_is_asked_of_each_region_is_an_answer_for_each(self):
        words = self.read()["words"]
        assert (words.control_type, words.column) == ("text", "per_region")
        assert words.value == [("r1", None, None, "KA 1")]


def test_relations_are_one_answer_under_the_name_of_their_question():
    ends = [mark(BOX, "rectanglelabels", one) for one in ("a", "b")]
    arrow = {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["owns"]}
    back = {"type": "relation", "from_id": "b", "to_id": "a", "direction": "bi"}
    for asked, name in (({}, "relations"), ({"who": Asked("relation", frozenset(["owns"]))}, "who")):
        answers, refused = parse([*ends, arrow, back], asked)
        assert refused == []
        found = {answer.control: answer for answer in answers}[name]
        assert (found.control_type, found.column) == ("relation", "relations")
        assert found.value == [("a", "b", "right", ["owns"]), ("b", "a", "bi", [])]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"foo": 1}, "names no control"),
        ("nonsense", "names no control"),
        ({"from_name": ["q"], "type": "choices", "value": {}}, "names no control"),
        (item({"choices": ["a"]}, "hologram"), "kind of answer is not known"),
        (item({"choices": ["a"]}, ["choices"]), "kind of answer is not known"),
        (item(None), "kind of answer is not known"),
        (item({"choices": "a"}), "not a list"),
        (item({"choices": []}), "not a list"),
        (item({"choices": [["a", "b"]]}), "not a list of texts"),
        (item({"choices": ["a", "a"]}), "repeated"),
        (item({"rating": True}, "rating"), "no number"),
        (item({"number": float("nan")}, "number"), "no number"),
        (item({"text": [1]}, "textarea"), "not a list of texts"),
        (item({"datetime": 5}, "datetime"), "no text"),
        (item({"selected": "both"}, "pairwise"), "neither left nor right"),
        (item({"number": 10**400}, "number"), "no number"),
        (item({"choices": ["\ud800"]}), "what JSON cannot"),
        (item({"taxonomy": ["cat"]}, "taxonomy"), "not a list of texts"),
        (item({"taxonomy": [["cat"], ["cat"]]}, "taxonomy"), "repeated"),
        (item(BOX, "rectanglelabels"), "no id, or that of another"),
        (mark({"rectanglelabels": ["car"]}, "rectanglelabels"), "no shape that is known"),
        (mark(BOX | {"rectanglelabels": "car"}, "rectanglelabels"), "not a list of texts"),
        (mark({"height": 1}, "rectanglelabels"), "it has no x"),
        (mark(BOX | {"y": float("inf")}, "rectanglelabels"), "not all numbers"),
        (mark(BOX | {"y": True}, "rectanglelabels"), "not all numbers"),
        (mark({"points": [[1]]}, "polygonlabels"), "not pairs"),
        (mark({"points": [[1, "2"]]}, "polygonlabels"), "not all numbers"),
        (mark({"start": 5, "end": 2}, "labels"), "ends before it starts"),
        (
            mark({"start": "soon", "end": "later", "instant": False}, "timeserieslabels"),
            "neither a number nor a date",
        ),
        (mark({"ranges": []}, "timelinelabels"), "not a list"),
        (mark({"sequence": [1]}, "videorectangle"), "not a list"),
        ({"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"}, "region that is not there"),
    ],
)
def test_an_unknown_shape_is_refused_with_its_reason(given, told):
    assert told in reason(given)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (item({"choices": ["b"]}), "answered twice"),
        (item({"rating": 1}, "rating"), "several kinds"),
        ("nonsense", "names no control"),
    ],
)
def test_two_answers_to_one_control_are_refused_together(second, told):
    first = item({"choices": ["a"]}, control="" if second == "nonsense" else "q")
    assert told in reason(first, second)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([mark(BOX, "rectanglelabels"), mark(BOX, "rectanglelabels")], "that of another"),
        ([mark(BOX, "labels"), mark({"points": [[1, 2]]}, "labels", "r2")], "of several kinds"),
    ],
)
def test_marks_that_contradict_each_other_are_refused(given, told):
    assert told in reason(*given)


def test_a_second_answer_for_one_region_is_refused():
    answers, refused = parse(
        [mark(BOX, "rectanglelabels"), *[mark({"rating": 1}, "rating", control="stars")] * 2], {}
    )
    assert [answer.control for answer in answers] == ["m"]
    assert refused == [("stars", "it was answered twice for one region")]


class TestAgainstTheSpec:
    asked = asked_by(
        Interface(
            questions=(
                Question(name="q", prompt="?", labels=(Label(value="a"), Label(value="b"))),
                Question(name="m", type="rectangle", prompt="?", labels=(Label(value="car"),)),
                Question(
                    name="kind",
                    type="taxonomy",
                    prompt="?",
                    labels=(Label(value="dog", children=(Label(value="pug"),)),),
                ),
            )
        )
    )

    @pytest.mark.parametrize(
        ("given", "told"),
        [
            (item({"rating": 3}, "rating"), "the spec asks for choices"),
            (item({"choices": ["zebra"]}), "none of the question's labels"),
            (item({"choices": ["a", "b"]}), "several choices"),
            (mark(BOX | {"rectanglelabels": ["bus"]}, "rectanglelabels"), "none of the question's labels"),
            (mark(BOX | {"rectanglelabels": ["car", "bus"]}, "rectanglelabels"), "none of the question's labels"),
            (mark({"x": 1, "y": 2, "keypointlabels": ["car"]}, "keypointlabels"), "the spec asks for rectangle"),
            (item({"taxonomy": [["pug"]]}, "taxonomy", "kind"), "none of the question's labels"),
        ],
    )
    def test_what_was_not_asked_for_is_refused(self, given, told):
        assert told in reason(given, asked=self.asked)

    @pytest.mark.parametrize(
        "given",
        [
            item({"choices": ["b"]}),
            mark(BOX | {"rectanglelabels": ["car"]}, "rectanglelabels"),
            item({"taxonomy": [["dog"], ["dog", "pug"]]}, "taxonomy", "kind"),
            item({"choices": ["everything is marked"]}, control="m_confirmed"),
            item({"text": ["a control the spec does not know"]}, "textarea", "remark"),
        ],
    )
    def test_what_was_asked_for_is_taken(self, given):
        assert only(given, asked=self.asked)


def test_a_name_without_a_value_is_refused_and_the_mark_it_names_keeps_its_shape():
    drawn, name = mark(BOX, "rectangle"), mark(None, "labels", control="name")
    answers, refused = parse([drawn, {key: name[key] for key in name if key != "value"}], {})
    assert [(answer.control, answer.value[0].labels) for answer in answers] == [("m", [])]
    assert refused == [("name", "its kind of answer is not known")]


def test_a_number_beyond_any_other_is_refused():
    assert "not all numbers" in reason(mark(BOX | {"x": 10**400}, "rectanglelabels"))
