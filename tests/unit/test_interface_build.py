"""Building interfaces: every kind of question and media becomes sound XML, and no text of anybody becomes markup."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from deployments.cli.templates import template_names
from labelloop.errors import SpecError
from labelloop.interface import build, lint
from labelloop.interface.parse import asked_by
from labelloop.spec.from_xml import questions_of
from labelloop.spec.interface import Interface, Label, Question
from labelloop.spec.question import CONTROL_TYPES, MARKS
from tests.builders.interface_samples import sample_spec
from tests.builders.interfaces import AB, ASKED, an_interface

GOLDEN = Path(__file__).parents[1] / "golden" / "interfaces.json"


def tree(interface: Interface):
    return etree.fromstring(build(interface))


def tree_or_refusal(interface: Interface):
    try:
        return tree(interface)
    except SpecError as refusal:
        return str(refusal)


def structure(element) -> list:
    """The tags of a configuration and the names that stand in it, as they nest."""
    name = "".join(f" {key}={element.get(key)}" for key in ("name", "toName", "visibleWhen") if element.get(key))
    return [f"{element.tag}{name}", *(structure(child) for child in element)]


def test_there_is_a_case_for_every_kind_of_question():
    assert set(ASKED) == set(CONTROL_TYPES)


@pytest.mark.parametrize("kind", CONTROL_TYPES)
def test_every_kind_of_question_is_sound_and_read_back_as_it_was_asked(kind):
    interface = an_interface(kind)
    assert lint(build(interface)) == []
    (question, *confirmation) = interface.asked
    read = {one.name: one for one in questions_of(build(interface))}
    given_back = read.pop("q", None) or read.pop("relation")
    assert (given_back.type, given_back.values) == (kind, question.values)
    assert [one.name for one in read.values()] == [one.name for one in confirmation]


@pytest.mark.parametrize("kind", sorted(MARKS | {"pairwise", "ranking"}))
def test_where_label_studio_demands_nothing_a_required_choice_confirms(kind):
    confirmed = tree(an_interface(kind)).find(".//Choices[@name='q_confirmed']")
    assert (confirmed.get("required"), len(confirmed)) == ("true", 2)
    assert tree(an_interface(kind, required=False)).find(".//Choices[@name='q_confirmed']") is None


@pytest.mark.parametrize("kind", ["choices", "taxonomy", "rating", "number", "datetime", "text"])
def test_where_label_studio_can_demand_an_answer_it_does(kind):
    def demands(interface):
        return tree(interface).find(".//*[@name='q']").get("required")

    assert (demands(an_interface(kind)), demands(an_interface(kind, required=False))) == ("true", None)


def test_a_confirmation_is_read_like_any_other_choice():
    asked = asked_by(an_interface("ranking"))
    assert asked["q_confirmed"].labels == {"I have put it right", "it was right as shown"}


def test_buckets_are_confirmed_in_other_words_than_an_order():
    interface = an_interface("ranking", labels=AB)
    assert [bucket.get("name") for bucket in tree(interface).iter("Bucket")] == ["a", "b"]
    assert interface.asked[1].values == ("everything is sorted", "what is left fits nowhere")


def test_marks_without_a_colour_get_ones_that_are_told_apart():
    labels = [{"value": str(n)} for n in range(8)]
    marker = tree(an_interface("rectangle", labels=[*labels, {"value": "own", "color": "#010203"}])).find(
        ".//*[@name='q']"
    )
    colours = [label.get("background") for label in marker]
    assert len(set(colours[:8])) == 8
    assert colours[8] == "#010203"


def test_what_is_asked_of_each_mark_is_shown_and_demanded_of_the_marks_meant_alone():
    boxes = {"name": "boxes", "type": "rectangle", "prompt": "?", "labels": AB}
    when = {"question": "boxes", "labels": ["b"]}
    breed = {"name": "breed", "prompt": "?", "per_mark": True, "when": when, "labels": AB}
    xml = build(Interface.model_validate({"questions": [boxes, breed]}))
    control = etree.fromstring(xml).find(".//*[@name='breed']")
    condition = {"visibleWhen": "region-selected", "whenTagName": "boxes", "whenLabelValue": "b"}
    assert condition.items() <= dict(control.attrib).items()
    assert dict(control.getparent().attrib) == condition
    assert (control.get("perRegion"), control.get("required"), lint(xml)) == ("true", "true", [])


def test_labels_of_tracks_hang_on_the_control_that_names_them():
    tracks = {"name": "cars", "type": "track", "prompt": "?", "labels": AB}
    seen = {"name": "seen", "prompt": "?", "per_mark": True, "when": {"question": "cars"}, "labels": AB}
    root = tree(Interface.model_validate({"media": "video", "questions": [tracks, seen]}))
    assert root.find(".//VideoRectangle").get("name") == "cars"
    assert root.find(".//*[@name='seen']").get("whenTagName") == root.find(".//Labels").get("name") == "cars_labels"


def test_a_question_that_waits_for_an_answer_is_hidden_until_it_is_given():
    why = {"name": "why", "type": "text", "prompt": "Why?", "when": {"question": "q", "labels": ["a", "b"]}}
    first = {"name": "q", "prompt": "?", "labels": AB}
    view = tree(Interface.model_validate({"questions": [first, why]})).find(".//TextArea").getparent()
    assert dict(view.attrib) == {"visibleWhen": "choice-selected", "whenTagName": "q", "whenChoiceValue": "a,b"}


def test_notes_keep_their_lines_and_are_no_markup():
    notes = "# Cats\n<b>also</b> lynxes"
    interface = an_interface("choices").model_copy(update={"notes": notes})
    (panel,) = tree(interface).iter("Panel")
    assert [element.get("value") for element in panel.iter("Header")] == [notes]


@pytest.mark.parametrize("template", ["pairwise", "chat-rating", "rag-relevance"])
def test_lines_of_texts_are_kept_once_for_each_kind_of_object(template):
    interface = sample_spec(template).interface
    styles = [style.text for style in tree(interface).iter("Style")]
    assert len(styles) == len({field.kind for field in interface.shown})
    assert all("white-space: pre-wrap" in style for style in styles)


def test_a_prompt_of_several_lines_keeps_them():
    styles = [
        tree(an_interface("choices", prompt=prompt)).find("Header").get("style")
        for prompt in ("One\ntwo", "One line\n")
    ]
    assert styles == ["white-space: pre-wrap", None]


def test_pictures_and_films_leave_room_for_what_is_asked():
    sizes = {one: tree(sample_spec(one).interface) for one in ("image-classification", "video-boxes")}
    assert sizes["image-classification"].find("Image").get("maxHeight") == "60vh"
    assert int(sizes["video-boxes"].find("Video").get("height")) < 600  # what Label Studio takes by itself


def test_what_is_compared_stands_side_by_side():
    beside = [
        view for view in tree(sample_spec("pairwise").interface).iter("View") if "grid" in view.get("style", "")
    ]
    assert [[text.get("name") for text in view.iter("Text")] for view in beside] == [["answer_a", "answer_b"]]


def test_xml_is_taken_as_it_is_once_it_is_sound():
    xml = '<View><Image name="i" value="$i"/><Rating name="stars" toName="i"/></View>'
    interface = Interface.model_validate({"xml": xml})
    assert build(interface) == xml
    assert [(question.name, question.type) for question in interface.questions] == [("stars", "rating")]
    with pytest.raises(SpecError, match=r"1 finding\(s\):\n  line 1: <Rating> maxRating takes a number"):
        build(Interface.model_validate({"xml": xml.replace("toName", 'maxRating="x" toName')}))


@pytest.mark.parametrize("template", template_names())
def test_every_template_is_sound_and_shaped_as_it_was(template):
    """Golden: `python -c "from tests.unit.test_interface_build import write_golden; write_golden()"` writes it."""
    interface = sample_spec(template).interface
    assert lint(build(interface)) == []
    assert structure(tree(interface)) == json.loads(GOLDEN.read_text(encoding="utf-8"))[template]


def write_golden() -> None:
    shapes = {name: structure(tree(sample_spec(name).interface)) for name in template_names()}
    GOLDEN.write_text(json.dumps(shapes, indent=1) + "\n", encoding="utf-8")


HOSTILE = [
    '"/><HyperText value="x"/>',
    "&x;",
    "]]>",
    "<script>1</script>",
    "\u202eright to left",
    "x" * 10_000,
    "a,b",
    "{}",
]
LOOKS_LIKE_MARKUP = (
    st.text(max_size=30) | st.sampled_from(HOSTILE) | st.text(alphabet="<>&\"'$]![;#x0 \n\t\r\0", max_size=30)
)


@given(LOOKS_LIKE_MARKUP, LOOKS_LIKE_MARKUP, st.sampled_from(["choices", "taxonomy", "rectangle", "ranking", "span"]))
def test_whatever_texts_say_they_come_back_as_written_or_are_refused_by_name(value, prompt, kind):
    media, _ = ASKED[kind]
    labels = (Label.model_construct(value=value, hint=prompt or None), Label.model_construct(value=f"{value} "))
    question = Question.model_construct(name="q", type=kind, prompt=prompt, labels=labels)
    interface = Interface.model_construct(**media, questions=(question,))
    root = tree_or_refusal(interface)
    if isinstance(root, str):
        assert "question 'q'" in root
        return
    assert root.find("Header").get("value") == prompt
    (read, *_) = questions_of(build(interface))
    assert read.values == question.values
    assert {element.tag for element in root.iter()} == {
        element.tag for element in tree(an_interface(kind, labels=AB)).iter()
    }


@pytest.mark.parametrize("text", ["costs 5$.", "$image", "${x}", "$[0]"])
def test_what_label_studio_would_replace_is_refused(text):
    with pytest.raises(SpecError, match=r"question 'q'.*would replace"):
        build(an_interface("choices", prompt=text))


def test_a_bucket_may_not_be_called_like_a_flag():
    with pytest.raises(SpecError, match="takes for a flag"):
        build(an_interface("ranking", labels=[{"value": "true"}, {"value": "false"}]))
