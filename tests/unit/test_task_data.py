"""Task data: what Label Studio is given of each unit, and what it never is."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.cli.templates import template_names
from labelloop.spec.interface import Interface
from labelloop.task_data import addresses_in, needs_content, task_data
from tests.builders.interface_samples import (
    PASSAGES,
    sample_contents,
    sample_objects,
    sample_spec,
    sample_unit,
)

TRIAGE, RAG = sample_spec("triage"), sample_spec("rag-relevance")
HOSTILE = [
    '"><meta http-equiv=refresh content=0>',
    "<script>1</script>",
    "a' onerror=alert(1)",
    "&lt;b&gt;",
    "\u202eevil",
]


def told(template, **options):
    return task_data(sample_spec(template), sample_unit(template), contents=sample_contents(template), **options)


def record(value, spec=RAG):
    return task_data(spec, sample_unit("rag-relevance"), contents={f"{0:032x}": json.dumps(value).encode()})


@pytest.mark.parametrize("template", template_names())
def test_every_field_that_the_interface_shows_is_given(template):
    data = told(template)
    assert data.keys() == {"unit", "ref"} | {field.name for field in sample_spec(template).interface.shown}
    linked = (
        set() if needs_content(sample_spec(template)) else {f"s3://media/{key}" for key in sample_objects(template)}
    )
    assert set(addresses_in(data)) == linked


def test_the_sides_of_a_pair_keep_their_order():
    data = told("image-comparison")
    assert (data["left"], data["right"]) == ("s3://media/digits/0/sample.png", "s3://media/digits/1/sample.png")


def test_a_lone_member_is_no_pair():
    alone = sample_unit("image-comparison") | {"members": sample_unit("image-comparison")["members"][:1]}
    assert "no pair" in task_data(sample_spec("image-comparison"), alone)


def test_items_come_by_score_with_score_and_source_beside_them():
    items = told("rag-relevance")["passages"]
    assert [item["title"] for item in items] == ["Seas · score 0.92 · dense", "Weather · score 0.31 · bm25"]
    assert [item["body"] for item in items] == [PASSAGES[1]["text"], PASSAGES[0]["text"]]


def test_nothing_of_a_model_is_given_to_the_blind_arm_not_even_the_order():
    items = told("rag-relevance", blind=True)["passages"]
    assert [item["title"] for item in items] == ["Weather", "Seas"]
    assert "score" in told("triage")["items"][0]["title"]
    assert "score" not in str(told("triage", blind=True))


def test_where_the_spec_shows_no_predictions_items_have_no_score():
    assert [item["title"] for item in told("near-duplicates")["items"]] == ["Item 1", "Item 2", "Item 3"]


def test_texts_of_a_list_are_given_since_label_studio_has_no_link_for_them():
    interface = TRIAGE.interface.model_copy(update={"media": "text"})
    spec = TRIAGE.model_copy(update={"interface": interface})
    contents = {member["ref_id"]: b"as <b>written</b>" for member in sample_unit("triage")["members"]}
    items = task_data(spec, sample_unit("triage"), contents=contents)["items"]
    assert {item["body"] for item in items} == {"as <b>written</b>"}
    assert "not in the bucket" in task_data(spec, sample_unit("triage"))


class Elements(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_title_stays_a_title(hostile):
    items = [{"id": "a", "title": hostile, "text": hostile, "source": hostile, "image": "s3://media/digits/a.png"}]
    (item,) = record({"query": hostile, "passages": items})["passages"]
    ((tag, attributes),) = Elements(item["html"]).found
    assert (tag, attributes.keys(), attributes["src"]) == (
        "img",
        {"src", "title", "style"},
        "s3://media/digits/a.png",
    )
    assert attributes["title"] == item["title"] == f"{hostile} · {hostile}"
    assert item["body"] == hostile


@given(st.text(max_size=50))
def test_whatever_a_title_holds_the_only_element_is_the_picture(title):
    items = [{"id": "a", "title": title, "image": "s3://media/digits/a.png"}]
    data = record({"query": "?", "passages": items})
    if isinstance(data, str):
        assert "a text holds" in data
    else:
        assert [tag for tag, _ in Elements(data["passages"][0]["html"]).found] == ["img"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("https://foreign.test/a.png", "outside the bucket"),
        ("s3://other/digits/a.png", "outside the bucket"),
        ("s3://media/elsewhere/a.png", "outside the bucket"),
        ("s3a://media/digits/a.png", "outside the bucket"),
        ("s3://media.evil/digits/a.png", "outside the bucket"),
        ("s3://media//digits/a.png", "outside the bucket"),
        ("s3://media/digits/../x", "segment of dots"),
        ("s3://media/digits/./x", "segment of dots"),
        ("s3://media/digits/a/..", "segment of dots"),
        ("s3://media/digits/..a//ü.png", None),
        ("s3://media/digits/a\n.png", "control characters"),
        ("s3://media/digits/a?.png", "cannot address"),
        ('s3://media/digits/a".png', "within HTML"),
        ("s3://media/digits/day=1/a.png", "within HTML"),
        ({"src": "s3://media/digits/a"}, "outside the bucket"),
    ],
)
def test_only_addresses_of_the_spec_become_pictures(address, reason):
    data = record({"query": "?", "passages": [{"id": "a", "image": address}]})
    assert reason in data if reason else isinstance(data, dict)


@pytest.mark.parametrize(
    ("given_record", "reason"),
    [
        ([], "no JSON object"),
        ({"query": "?"}, "has no passages"),
        ({"query": None, "passages": PASSAGES}, "has no query"),
        ({"query": "?", "passages": []}, "no list of objects"),
        ({"query": "?", "passages": ["a"]}, "no list of objects"),
        ({"query": "?", "passages": [{"id": 1}, {"id": "1"}]}, "one id"),
        ({"query": "?", "passages": [{"score": "high"}]}, "the score of an item is 'high'"),
        ({"query": "?", "passages": [{"score": float("nan")}]}, "the score of an item is 'nan'"),
        ({"query": "?", "passages": [{"score": 10**400}]}, "the score of an item is '1000"),
        ({"query": "?", "passages": [{"id": "a\0"}]}, "no database takes"),
        ({"query": "x" * 100_001, "passages": PASSAGES}, "100001 characters"),
        ({"query": "a\0b", "passages": PASSAGES}, "no database takes"),
        ({"query": "\ud800", "passages": PASSAGES}, "no database takes"),
        ({"query": "s3://media/secret", "passages": PASSAGES}, "Label Studio would resolve"),
        ({"query": 'see "s3://media/secret"', "passages": PASSAGES}, "Label Studio would resolve"),
    ],
)
def test_a_record_that_cannot_be_shown_is_refused_with_its_reason(given_record, reason):
    assert reason in record(given_record)


@pytest.mark.parametrize("content", [b"\xff\xfe{", b"", b"[" * 100_000])
def test_what_is_no_json_is_refused(content):
    contents = {f"{0:032x}": content}
    assert "no JSON object" in task_data(RAG, sample_unit("rag-relevance"), contents=contents)


def test_no_field_may_be_called_as_labelloop_calls_its_own():
    given_interface = RAG.interface.model_dump(exclude_unset=True) | {"fields": [{"name": "unit"}]}
    with pytest.raises(ValueError, match="a field is called unit"):
        Interface.model_validate(given_interface)
