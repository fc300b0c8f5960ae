"""What a spec may ask, and of an XML what is read off it; whatever does not fit is refused by name."""

from __future__ import annotations

import json
import re
from typing import get_args

import pytest
import yaml
from pydantic import ValidationError

from deployments.cli.templates import template_names
from labelloop.errors import InputError, SpecError
from labelloop.interface import build, lint
from labelloop.spec import load_spec
from labelloop.spec.from_xml import UNREAD, fields_of, questions_of
from labelloop.spec.interface import Interface
from labelloop.spec.question import CONTROL_TYPES, Question
from labelloop.spec.shown import MediaKind
from tasks.clients.specs import read_spec
from tests.builders.digits import SPEC
from tests.builders.interface_samples import sample_spec
from tests.checkout import ROOT

AB = [{"value": "a"}, {"value": "b"}]
CHOICE = {"name": "q", "prompt": "?", "labels": AB}
BOXES = {"name": "boxes", "type": "rectangle", "prompt": "?", "labels": AB}
XML = '<View><Image name="i" value="$photo"/><Rating name="stars" toName="i"/></View>'


def refusal(model, **fields) -> str:
    with pytest.raises(ValidationError) as refused:
        model.model_validate(fields)
    return str(refused.value)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ({"labels": AB[:1]}, "choices needs at least 2 label(s), not 1"),
        ({"type": "span", "labels": []}, "span needs at least 1 label(s), not 0"),
        ({"type": "rating"}, "rating takes no labels"),
        ({"labels": [{"value": "a", "children": AB}, {"value": "c"}]}, "choose type taxonomy"),
        ({"type": "ranking", "labels": [{"value": "_"}, {"value": "b"}]}, "no bucket may be called '_'"),
        ({"type": "ranking", "labels": [{"value": "__proto__"}]}, "no bucket may be called '__proto__'"),
        ({"type": "taxonomy", "labels": [{"value": "a", "children": [*AB, AB[0]]}]}, "label 'a' appears twice"),
        ({"maximum": 3}, "maximum means nothing for choices"),
        ({"type": "rating", "labels": [], "multiple": True}, "multiple means nothing for rating"),
        ({"type": "rating", "labels": [], "maximum": 2.5}, "a rating has whole stars"),
        ({"type": "number", "labels": [], "minimum": 3, "maximum": 3}, "minimum is 3.0, not below maximum 3.0"),
        ({"type": "taxonomy", "per_mark": True}, "taxonomy cannot be asked of each mark"),
        ({"type": "taxonomy", "labels": [{"value": "a", "children": [{"value": "b", "hotkey": "1"}]}]}, "no hotkey"),
        ({"type": "ranking", "labels": [{"value": "a", "color": "#D55E00"}]}, "no color for labels of ranking"),
        ({"type": "relation", "labels": [{"value": "a", "hint": "why"}]}, "no hint for labels of relation"),
        ({"when": {"question": "x", "labels": ["a,b"]}}, "hold a comma"),
        (
            {"type": "rating", "labels": [], "per_mark": True, "when": {"question": "x"}},
            "Label Studio would demand the rating of every mark",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(question, told):
    assert told in refusal(Question, **CHOICE | question)


@pytest.mark.parametrize(
    ("interface", "told"),
    [
        ({"questions": []}, "nothing is asked"),
        ({"questions": [CHOICE], "remarks": ["q"]}, "remarks: q; questions of text about the whole object are []"),
        ({"media": "record", "questions": [CHOICE]}, "fields belong to media record"),
        ({"fields": [{"name": "x"}], "questions": [CHOICE]}, "fields belong to media record"),
        ({"media": "time_series", "questions": [CHOICE]}, "series belongs to a time series"),
        ({"frame_rate": 25, "questions": [CHOICE]}, "frame_rate is of videos, but image (image) is shown"),
        ({"media": "record", "layout": "pair", "fields": [{"name": "x"}], "questions": [CHOICE]}, "shown by itself"),
        ({"media": "audio", "layout": "list", "questions": [CHOICE]}, "a list cannot show audio"),
        ({"questions": [CHOICE | {"name": "image"}]}, "question 'image' appears twice"),
        ({"questions": [BOXES, CHOICE | {"name": "boxes_confirmed"}]}, "'boxes_confirmed' appears twice"),
        (
            {"questions": [{**CHOICE, "name": n, "labels": [{"value": "a", "hotkey": "1"}, AB[1]]} for n in "pq"]},
            "hotkey '1' appears twice",
        ),
        (
            {"media": "text", "questions": [BOXES]},
            "rectangle is asked about 1 field(s) of kind image; shown are text",
        ),
        ({"questions": [CHOICE | {"about": ["x"]}]}, "shown are image (image)"),
        ({"questions": [{"name": "q", "prompt": "?", "type": "pairwise"}]}, "pairwise is asked about 2 field(s)"),
        ({"questions": [{"name": "q", "prompt": "?", "type": "ranking"}]}, "of kind items"),
        ({"questions": [CHOICE | {"per_mark": True}]}, "nothing is marked before it"),
        ({"questions": [CHOICE | {"when": {"question": "q"}}]}, "it can wait for []"),
        (
            {"questions": [CHOICE, CHOICE | {"name": "r", "when": {"question": "q", "labels": ["c"]}}]},
            "waits for ['c']; labels there are ['a', 'b']",
        ),
        (
            {"questions": [{"name": n, "type": "relation", "prompt": "?"} for n in "pq"]},
            "two questions ask for relations",
        ),
    ],
)
def test_an_interface_that_does_not_fit_together_is_refused(interface, told):
    assert told in refusal(Interface, **interface)


def test_a_question_is_about_the_fields_it_can_be_about():
    interface = sample_spec("pairwise").interface
    aims = {question.name: interface.aims(question) for question in interface.asked}
    assert aims == {
        "preference": ("answer_a", "answer_b"),
        "strength": ("prompt",),
        "rationale": ("prompt",),
        "preference_confirmed": ("answer_a",),
    }


def test_a_unit_needs_an_interface_that_shows_it():
    pairs = "interface: {layout: pair, questions: [{name: q, type: pairwise, prompt: '?'}]}\n"
    spec = "\n".join(line for line in SPEC.splitlines() if not line.startswith(("interface:", "  ", "model:")))
    spec = spec.replace("seed: 7}", "unit: {kind: pair}}") + f"\n{pairs}"
    assert load_spec(spec).sampling.unit.kind == "pair"
    with pytest.raises(SpecError, match=r"'single', but interface\.layout 'pair' shows units of kind pair"):
        load_spec(spec.replace("kind: pair", "kind: single"))
    with pytest.raises(SpecError, match="not about a pair"):
        load_spec(spec.replace("unit:", "gold_share: 0.1, unit:"))


def test_the_trainer_needs_choices_to_learn():
    rating = SPEC.replace(
        'type: choices, prompt: "Which digit is it?", labels: [{value: "0"}, {value: "1"}, {value: "2"}]',
        'type: rating, prompt: "How good?"',
    )
    with pytest.raises(SpecError, match="the first question is rating about image"):
        load_spec(rating)


def with_xml(value: str) -> str:
    lines = SPEC.splitlines()
    start, end = lines.index("interface:"), lines.index("guidelines: {text: Choose the digit the writer meant.}")
    spec = "\n".join([*lines[:start], "interface:", f"  xml: {value}", *lines[end:]])
    return spec.replace("source: trainer, ", "source: none, ")


def test_xml_stands_in_the_spec_or_in_a_file_beside_it(tmp_path):
    (tmp_path / "faces.xml").write_text(XML)
    for value in ("faces.xml", f"'{XML}'"):
        (tmp_path / "faces.yaml").write_text(with_xml(value))
        interface = read_spec(tmp_path / "faces.yaml").interface
        assert (interface.xml, [question.name for question in interface.asked]) == (XML, ["stars"])
    (tmp_path / "faces.xml").write_bytes(XML.replace("<Rating", "\r\n<Rating").encode())
    (tmp_path / "faces.yaml").write_text(with_xml("faces.xml"))
    assert "\r\n<Rating" in read_spec(tmp_path / "faces.yaml").interface.xml
    (tmp_path / "faces.yaml").write_text(with_xml("absent.xml"))
    with pytest.raises(InputError, match=r"absent\.xml cannot be read"):
        read_spec(tmp_path / "faces.yaml")


@pytest.mark.parametrize(
    ("xml", "told"),
    [
        ("<View>", "no well-formed XML"),
        (
            '<View><Text name="t" value="$t"/><Rating name="r" toName="t"/></View>',
            "xml shows t (text), but media 'image'",
        ),
        (XML.replace("<Rating", '<Text name="q" value="$query"/><Rating'), "shows photo (image), query (text)"),
        ('<View><Image name="i" value="$i"/></View>', "nothing is asked"),
        (XML.replace("$photo", "there.png"), "xml shows no field of a task"),
        (XML.replace("$photo", "$photos[0]"), "shows $photos[0] by <Image>: a part of a field"),
        (XML.replace("value=", "valueList="), "shows $photo by <Image>: several pictures in one field"),
        (
            XML.replace("<Rating", '<Choices name="c" toName="i" value="$kinds"/><Rating'),
            "shows $kinds by <Choices>: its labels would come with each task",
        ),
        (XML.replace("<Image", "<HyperText"), "shows $photo by <HyperText>, as HTML"),
        (
            XML.replace("<Rating", '<Vector name="v" toName="i"/><Rating'),
            "<Vector>, whose answers cannot be collected",
        ),
    ],
)
def test_xml_that_cannot_be_served_is_refused(xml, told):
    with pytest.raises(SpecError) as refused:
        load_spec(with_xml(f"'{xml}'"))
    assert told in str(refused.value)


def test_what_label_studio_takes_is_taken_off_xml_also_where_a_spec_would_refuse_it():
    xml = """<View>
      <Image name="i" value="$photo"/><Rectangle name="box" toName="i"/>
      <Choices name="one" toName="i"><Choice value="seen"/></Choices>
      <RectangleLabels name="part" toName="i" choice="multiple"><Label value="hoof"/></RectangleLabels>
    </View>"""
    assert [(one.name, one.values) for one in Interface(xml=xml).questions] == [
        ("box", ()),
        ("one", ("seen",)),
        ("part", ("hoof",)),
    ]


def test_xml_says_everything_itself():
    assert "remove either" in refusal(Interface, xml=XML, questions=[CHOICE])


def test_what_controls_are_called_asked_and_labelled_is_read_off_xml():
    xml = """<View>
      <Labels name="kinds" toName="img"><Label value="cat"/><Label value="dog"/></Labels>
      <Image name="img" value="$photo"/><Rectangle name="box" toName="img"/>
      <Text name="txt" value="$words"/>
      <Labels name="names" toName="txt"><Label value="PER" alias="person"/></Labels>
      <Choices name="good" toName="img" choice="multiple" required="true">
        <View><Choice value="yes"/></View><Choice value="no"/>
      </Choices>
      <TextArea name="why" toName="img" perRegion="true"/>
      <List name="l" value="$items"/><Ranker name="rank" toName="l"><Bucket name="keep" title="Keep"/></Ranker>
      <Relations><Relation value="of"/></Relations><Brush name="b" toName="img"/>
    </View>"""
    questions = {question.name: question for question in questions_of(xml)}
    assert {name: (one.type, one.values) for name, one in questions.items()} == {
        "box": ("rectangle", ("cat", "dog")),
        "names": ("span", ("person",)),
        "good": ("choices", ("yes", "no")),
        "why": ("text", ()),
        "rank": ("ranking", ("keep",)),
        "relation": ("relation", ("of",)),
        "b": ("mask", ("cat", "dog")),
    }
    good, why = questions["good"], questions["why"]
    assert (good.multiple, good.required, good.about, why.per_mark) == (True, True, ("img",), True)
    assert [(field.name, field.kind) for field in fields_of(xml)] == [
        ("photo", "image"),
        ("words", "text"),
        ("items", "items"),
    ]


def test_the_page_names_every_kind_of_question_and_media_and_every_template():
    page = (ROOT / "docs" / "interfaces.md").read_text(encoding="utf-8")
    named = {*CONTROL_TYPES, *get_args(MediaKind), *template_names(), *UNREAD}
    assert [name for name in sorted(named) if f"`{name}`" not in page and f"`<{name}>`" not in page] == []


def test_the_interface_of_the_page_is_right():
    page = (ROOT / "docs" / "interfaces.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert lint(build(Interface.model_validate(yaml.safe_load(shown)["interface"]))) == []
    wrong = shown.replace("{question: hooves}", "{question: hoof}")
    (told,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(told)[0]["problem"] in refusal(Interface, **yaml.safe_load(wrong)["interface"])
