"""The interface: what the spec says arrives as XML, what is wrong is found, answers come back typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from lxml import etree

from deployments.cli import interface_verbs
from labelloop.errors import InputError, SpecError
from labelloop.interface import build, lint
from labelloop.spec.interface import Interface, Label, Question

SPEC = Path("deployments/projects/digits.yaml")
GOOD = """<View>
  <Image name="image" value="$image"/>
  <Choices name="q" toName="image"><Choice value="a"/><Choice value="b"/></Choices>
</View>"""


def interface(*values: str, media: str = "image", prompt: str = "Which?", **options) -> Interface:
    question = Question(
        name="q", prompt=prompt, labels=tuple(Label(value=v) for v in values or ("a", "b")), **options
    )
    return Interface(media=media, questions=(question,))


def problems(xml: str) -> str:
    return "; ".join(finding.problem for finding in lint(xml))


HOSTILE = ['"/><HyperText value="x"/>', "&x;", "]]>", "<script>alert(1)</script>", "أ ب", "x" * 200, "a'b\\n"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_caption_becomes_markup(text):
    root = etree.fromstring(build(interface(text, "b", prompt=text)))
    assert [choice.get("value") for choice in root.iter("Choice")] == [text, "b"]
    assert root.find("Header").get("value") == text
    assert {element.tag for element in root.iter()} == {"View", "Image", "Header", "Choices", "Choice"}


def test_several_choices_are_allowed_only_where_the_spec_says_so():
    for multiple, choice in ((True, "multiple"), (False, "single")):
        control = etree.fromstring(build(interface(multiple=multiple))).find("Choices")
        assert control.get("choice") == choice


def test_an_optional_question_may_be_left_empty():
    assert etree.fromstring(build(interface(required=False))).find("Choices").get("required") is None


def test_text_is_linked_and_not_copied():
    shown = etree.fromstring(build(interface(media="text"))).find("Text")
    assert (shown.get("value"), shown.get("valueType")) == ("$text", "url")


def test_hotkeys_and_colours_reach_their_choice():
    label = Label(value="a", hotkey="x", color="#00ff7f")
    question = Question(name="q", prompt="?", labels=(label, Label(value="b")))
    first, second = etree.fromstring(build(Interface(questions=(question,)))).iter("Choice")
    assert (first.get("hotkey"), first.get("style")) == ("x", "border-left: 4px solid #00ff7f; padding-left: 4px")
    assert (second.get("hotkey"), second.get("style")) == (None, None)


@pytest.mark.parametrize("text", ["costs $5", "$image", "a\x00b"])
def test_what_label_studio_would_replace_or_xml_cannot_carry_is_refused_by_question(text):
    with pytest.raises(SpecError, match="question 'q'"):
        build(interface(text, "b"))


@pytest.mark.parametrize("media", ["image", "text"])
def test_what_is_built_has_no_finding(media):
    assert lint(build(interface(media=media))) == []


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("View", "view", "the root is <view>"),
        ("</View>", "", "not well-formed"),
        ("<View>", '<!DOCTYPE View [<!ENTITY x "y">]><View>', "document types and entities are refused"),
        ('value="$image"', 'value="image"', "names no field"),
        ("Choices", "choices", "<choices> is no tag"),
        ("Image", "Picture", "<Picture> is no tag"),
        ('toName="image"', 'toName="picture"', "toName 'picture' does not exist"),
        ('toName="image"', 'toName="q"', "toName 'q' is a control"),
        ('toName="image"', "", "it asks about nothing"),
        ('value="b"', 'value="a"', "choice 'a' appears 2 times"),
        ('name="q"', 'name="image"', "name 'image' is used 2 times"),
        ('name="q"', "", "it has no name"),
    ],
)
def test_every_planted_fault_is_found(good, bad, problem):
    assert lint(GOOD) == []
    assert problem in problems(GOOD.replace(good, bad))


def test_a_configuration_without_a_control_is_found():
    assert "there is no control" in problems('<View><Image name="image" value="$image"/></View>')


def test_a_finding_names_line_tag_and_remedy():
    (finding,) = lint(GOOD.replace('value="b"', 'value="a"'))
    assert (finding.line, finding.tag, finding.remedy) == (3, "Choices", "keep one of them")


def test_entities_are_never_expanded():
    bomb = '<!doctype View [<!ENTITY a SYSTEM "file:///etc/hostname">]><View>&a;</View>'
    assert [finding.tag for finding in lint(bomb)] == ["!DOCTYPE"]


def test_the_command_writes_an_interface_that_the_command_accepts(tmp_path, capsys):
    out = tmp_path / "digits.xml"
    interface_verbs.build(SPEC, out=out)
    interface_verbs.validate(out, json=True)
    assert json.loads(capsys.readouterr().out) == []


def test_the_command_fails_on_a_finding_and_prints_it(tmp_path, capsys):
    file = tmp_path / "bad.xml"
    file.write_text("<View/>")
    with pytest.raises(SystemExit) as ended:
        interface_verbs.validate(file, json=True)
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)[0]["tag"] == "View"


def test_the_command_names_a_file_it_cannot_read(tmp_path):
    with pytest.raises(InputError, match="absent"):
        interface_verbs.validate(tmp_path / "absent.xml")
