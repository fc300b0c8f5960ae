"""Lint: every fault that the server takes without a word is found where it is; what Label Studio publishes passes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from labelloop.interface import lint
from tests.checkout import ROOT

GOOD = """<View>
<Image name="image" value="$image"/><Text name="text" value="$text"/><List name="list" value="$items"/>
<RectangleLabels name="box" toName="image"><Label value="cat"/><Label value="dog"/></RectangleLabels>
<Ranker name="rank" toName="list"><Bucket name="keep" title="Keep"/><Bucket name="drop" title="Drop"/></Ranker>
<Pairwise name="pair" toName="image,text"/>
<Choices name="kind" toName="image" choice="single"><Choice value="a"/><Choice value="b"/></Choices>
<Rating name="stars" toName="text" maxRating="5"/>
<View visibleWhen="region-selected" whenTagName="box">
<TextArea name="why" toName="image" perRegion="true" rows="2"/>
</View>
</View>"""
TEMPLATES = sorted(
    ROOT.glob(".venv-label-studio/lib/*/site-packages/label_studio/annotation_templates/**/config.y*ml")
)
# Published with these faults, which are real: one choice twice, and a rating that asks about nothing.
FAULTY = {"document-retrieval": ["choice 'Two' appears 2 times"], "chatbot-assessment": ["it asks about nothing"]}


@pytest.mark.parametrize(
    ("good", "bad", "line", "tag", "problem"),
    [
        ("<Rating ", "<Ratin ", 7, "Ratin", "<Ratin> is no tag"),
        ("<Rating ", "<rating ", 7, "rating", "<rating> is no tag"),
        ('value="$text"', 'value="text"', 2, "Text", "its value names no field of the task"),
        (
            '<Ranker name="rank" toName="list">',
            '<Ranker name="rank" toName="text">',
            4,
            "Ranker",
            "cannot work on <Text>",
        ),
        ('name="box" toName="image"', 'name="box" toName="text"', 3, "RectangleLabels", "cannot work on <Text>"),
        ('toName="image,text"', 'toName="image"', 5, "Pairwise", "it compares 1 object(s)"),
        ('<Choice value="b"', '<Choice value="a"', 6, "Choices", "choice 'a' appears 2 times"),
        ('<Label value="dog"', '<Label value="cat"', 3, "RectangleLabels", "choice 'cat' appears 2 times"),
        ('<Bucket name="drop"', '<Bucket name="keep"', 4, "Ranker", "bucket 'keep' appears 2 times"),
        ('<Bucket name="drop"', '<Bucket name="_"', 4, "Bucket", "the name '_' means something else"),
        ('<Bucket name="drop"', '<Bucket name="__proto__"', 4, "Bucket", "the name '__proto__' means something else"),
        ('<Bucket name="drop"', '<Bucket name="true"', 4, "Bucket", "the name 'true' means something else"),
        ('choice="single"', 'choice="banana"', 6, "Choices", "choice takes multiple, single or single-radio"),
        ('maxRating="5"', 'maxRating="abc"', 7, "Rating", "maxRating takes a number"),
        ('maxRating="5"', 'maxRating="0"', 7, "Rating", "maxRating takes a number, whole and above 0"),
        ('maxRating="5"', 'maxRating="$stars"', 7, "Rating", "maxRating takes a number"),
        ('maxRating="5"', 'required="True"', 7, "Rating", "required takes true or false, not 'True'"),
        ('maxRating="5"', 'required="$must"', 7, "Rating", "required takes true or false"),
        ('choice="single"', 'choice="$kind"', 6, "Choices", "choice takes multiple, single or single-radio"),
        ('value="$text"', 'value="$"', 2, "Text", "its value names no field of the task"),
        ('value="$text"', 'value="myText"', 2, "Text", "its value names no field of the task"),
        ('value="$text"', 'Value="$text"', 2, "Text", "Value is value in another case"),
        ('name="text"', 'NAME="text"', 2, "Text", "NAME is name in another case"),
        ('name="stars" toName', 'name="stars" toname', 7, "Rating", "toname is toName in another case"),
        ('toName="image,text"', 'toName="image, text"', 5, "Pairwise", "toName holds a blank"),
        ('toName="image,text"', 'toName="image,image"', 5, "Pairwise", "it compares 1 object(s)"),
        ('<Choice value="b"/>', '<View><Choice value="a"/></View>', 6, "Choices", "choice 'a' appears 2 times"),
        ('<Choice value="b"/>', '<Choice value="b" alias="a"/>', 6, "Choices", "choice 'a' appears 2 times"),
        ('<Choice value="b"/>', '<Choice value=""/>', 6, "Choice", "it has no value"),
        ("<Pairwise ", '<Choice value="c"/><Pairwise ', 5, "Choice", "it is a choice of nothing"),
        (
            '<Label value="cat"/>',
            '<Label value="cat"><View><Label value="c"/></View></Label>',
            3,
            "Label",
            "within a",
        ),
        ("<Text ", '<Text ONCLICK="alert(1)" ', 2, "Text", "ONCLICK looks like a script"),
        (
            '<Rating name="stars"',
            '<Rating\nname="stars"\ndefaultValue="x"',
            7,
            "Rating",
            "defaultValue takes a number",
        ),
        ("<Text ", '<x:Text xmlns:x="urn:x" ', 2, "Text", "Label Studio knows no namespaces"),
        ("<View>", '<?xml version="1.0" encoding="utf-8"?><View>', 1, "?xml", "it names an encoding"),
        ('perRegion="true" rows', 'perRegion="yes" rows', 9, "TextArea", "perRegion takes true or false"),
        ('visibleWhen="region-selected"', 'visibleWhen="selected"', 8, "View", "visibleWhen takes"),
        ('whenTagName="box"', 'whenTagName="bag"', 8, "View", "whenTagName 'bag' does not exist"),
        ("</View>\n</View>", "</View><script>1</script>\n</View>", 10, "script", "scripts are refused"),
        ("<Text ", '<Text onclick="alert(1)" ', 2, "Text", "onclick looks like a script"),
        ("<Image ", "<AudioPlus ", 2, "AudioPlus", "<AudioPlus> is deprecated"),
        ('<Label value="cat"/>', '<Label value="cat"><Label value="kitten"/></Label>', 3, "Label", "within a label"),
        ('<Choice value="a"/>', '<Choice value="a"><Choice value="c"/></Choice>', 6, "Choice", "within a choice"),
        ('name="stars" toName="text"', 'name="stars" toName="kind"', 7, "Rating", "toName 'kind' is a control"),
        ('name="why" toName="image"', 'name="why" toName="text"', 9, "TextArea", "nothing can be marked"),
        ('perRegion="true" rows', 'perRegion="true" required="true" rows', 9, "TextArea", "required of every region"),
        ("<View>\n<Image", "<Div>\n<Image", 11, "", "not well-formed XML"),
        (
            'whenTagName="box">\n<TextArea',
            'whenLabelValue="cat">\n<TextArea required="true"',
            9,
            "TextArea",
            "required of",
        ),
        ("<View>\n<Image", "\n<!DOCTYPE View>\n<View>\n<Image", 2, "!DOCTYPE", "entities are refused"),
    ],
)
def test_a_planted_fault_is_found_at_its_line_with_tag_and_remedy(good, bad, line, tag, problem):
    assert lint(GOOD) == []
    assert good in GOOD
    found = [finding for finding in lint(GOOD.replace(good, bad, 1)) if problem in finding.problem]
    assert [(finding.line, finding.tag) for finding in found[:1]] == [(line, tag)]
    assert found[0].remedy


@pytest.mark.parametrize(
    "around",
    [
        "\ufeff{}",
        '<?xml version="1.0"?>{}',
        "<!-- <!DOCTYPE View> -->{}",
        "<?note <!ENTITY x>?>{}",
        "<View><![CDATA[<script>]]>{}</View>",
    ],
)
def test_what_only_looks_like_a_declaration_or_a_tag_is_no_finding(around):
    assert lint(around.format(GOOD)) == []


@pytest.mark.parametrize(
    "control",
    [
        '<DateTime name="x" toName="text" only="date" min="2020-01-01" max="2030-12-31"/>',
        '<Number name="x" toName="text" min="-1.5" max=".5" step="0.1"/>',
        '<PolygonLabels name="x" toName="image" minPoints="none"><Label value="a"/></PolygonLabels>',
        '<Taxonomy name="x" toName="text" maxWidth="500px"><Choice value="a"/></Taxonomy>',
    ],
)
def test_what_label_studio_takes_for_an_attribute_is_no_finding(control):
    assert lint(GOOD.replace("<Rating ", f"{control}<Rating ", 1)) == []


def test_what_is_said_twice_in_two_branches_of_a_tree_is_two_answers():
    xml = '<View><Text name="t" value="$t"/><Taxonomy name="c" toName="t"><Choice value="a"><Choice value="x"/>'
    assert lint(f'{xml}</Choice><Choice value="b"><Choice value="x"/></Choice></Taxonomy></View>') == []
    (found,) = lint(f'{xml}<Choice value="x"/></Choice></Taxonomy></View>')
    assert (found.tag, found.problem) == ("Choice", "choice 'x' appears 2 times")


def test_choices_may_nest_where_that_is_allowed():
    xml = '<View><Text name="t" value="$t"/><Choices name="c" toName="t" allowNested="true">'
    assert lint(f'{xml}<Choice value="a"><Choice value="b"/></Choice></Choices></View>') == []


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.parent.name)
def test_what_label_studio_publishes_passes(template: Path):
    config = yaml.safe_load(template.read_text(encoding="utf-8"))["config"]
    assert [finding.problem for finding in lint(config)] == FAULTY.get(template.parent.name, [])


def test_the_published_templates_are_there():
    assert len(TEMPLATES) > 60
