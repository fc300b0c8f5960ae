"""The labelling project spec: every problem is listed with its field, value and remedy."""

from __future__ import annotations

import pytest
import yaml

from docs.write import ROOT
from labelloop.errors import SpecError
from labelloop.spec import json_schema, load_spec
from tests.builders.digits import SPEC


def spec_with(**changed):
    """Return the text of a good spec with values replaced; `section__field` names a field of a section."""
    document = yaml.safe_load(SPEC)
    for path, value in changed.items():
        section, _, field = path.partition("__")
        if field:
            document.setdefault(section, {})[field] = value
        else:
            document[section] = value
    return yaml.safe_dump(document)


def problem_of(text):
    with pytest.raises(SpecError) as failure:
        load_spec(text, name="digits.yaml")
    return str(failure.value)


def test_the_spec_of_the_demo_is_good():
    path = ROOT / "deployments" / "projects" / "digits.yaml"
    assert load_spec(path.read_text(encoding="utf-8")).name == path.stem


def test_what_is_not_said_has_a_default():
    spec = load_spec(spec_with())
    assert (spec.quality.gate, spec.quality.alarm, spec.predictions.show) == (0.6, 0.4, False)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"colour": "red"}, ["colour", "'red'", "remove it or mend its spelling"]),
        ({"sampling__batchsize": 3}, ["sampling.batchsize", "remove it"]),
        ({"sampling__batch_size": "many"}, ["sampling.batch_size", "'many'", "integer"]),
        ({"sampling__batch_size": -1}, ["sampling.batch_size", "-1", "greater than or equal to 0"]),
        ({"sampling__audit_rate": 1.0}, ["sampling.audit_rate", "less than 1"]),
        ({"sampling__gold_share": 0.9}, ["sampling", "the shares of the batch sum to 1.2"]),
        ({"sampling__unit": {"size": 3, "shared": 3}}, ["sampling.unit", "shared is 3 of lists of 3"]),
        ({"sampling__unit": {"kind": "pair"}}, ["kind is 'pair'", "'single' shows units of kind single or group"]),
        ({"sampling__quotas": {"subject": 0}}, ["sampling.quotas.subject", "greater than or equal to 1"]),
        ({"sampling__objectives": {"balance": -1}}, ["sampling.objectives.balance", "greater than or equal to 0"]),
        ({"sampling__near_duplicates": {"radius": 0}}, ["sampling.near_duplicates.radius", "greater than 0"]),
        ({"sampling__budget": {"currency": "Euro"}}, ["sampling.budget.currency", "'Euro'"]),
        ({"title": "ab"}, ["title", "'ab'", "3"]),
        ({"name": "Digits"}, ["name", "'Digits'"]),
        ({"overlap__maximum": 5}, ["overlap.maximum is 5", "annotators.count is 4"]),
        ({"overlap__annotators": 9}, ["overlap", "annotators is 9, above maximum 4", "raise maximum"]),
        ({"model": {"source": "onnx"}}, ["model", "'onnx'", "s3://"]),
        ({"interface__questions": []}, ["interface: questions", "at least 1"]),
    ],
)
def test_a_wrong_field_is_told_with_its_value_and_remedy(changed, told):
    problem = problem_of(spec_with(**changed))
    assert [part for part in ["digits.yaml has 1 problem", *told] if part not in problem] == []


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([{"value": "0"}, {"value": "0"}], "label '0' appears twice"),
        ([{"value": "0"}, {"value": " 0 "}], "label '0' appears twice"),
        ([{"value": "0", "hotkey": "a"}, {"value": "1", "hotkey": "a"}], "hotkey 'a' appears twice"),
    ],
)
def test_labels_and_hotkeys_must_be_distinct(labels, told):
    question = {"name": "digit", "type": "choices", "prompt": "Which?", "labels": labels}
    assert told in problem_of(spec_with(interface__questions=[question]))


def test_questions_must_be_distinct():
    question = {"name": "digit", "prompt": "Which?", "labels": [{"value": "0"}, {"value": "1"}]}
    assert "question 'digit' appears twice" in problem_of(spec_with(interface__questions=[question, question]))


def test_a_missing_section_is_named():
    document = yaml.safe_load(SPEC)
    del document["media"], document["guidelines"]
    problem = problem_of(yaml.safe_dump(document))
    assert "2 problem(s)" in problem
    assert "media: Field required; add it" in problem
    assert "guidelines: Field required; add it" in problem


def test_several_problems_are_listed_at_once():
    problem = problem_of(spec_with(colour="red", sampling__batch_size="many", title="ab", quality__gate=3))
    assert "4 problem(s)" in problem
    assert [
        field for field in ("colour", "sampling.batch_size", "title", "quality.gate") if field not in problem
    ] == []


def test_what_is_wrong_with_an_xml_is_listed_with_the_rest():
    problem = problem_of(spec_with(title="ab", interface={"xml": "<View><Rating></View>"}))
    assert "2 problem(s)" in problem
    assert "interface: interface.xml is no well-formed XML" in problem


def test_a_long_value_is_told_by_its_beginning():
    assert "(got 'longer longer" in (problem := problem_of(spec_with(title="longer " * 100)))
    assert len(problem) < 250


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [digits", "digits.yaml is not YAML at line 1"),
        ("a: b: c", "digits.yaml is not YAML at line 1"),
        ("\tname: x", "digits.yaml is not YAML"),
        ("", "is empty or no mapping"),
        ("- a\n- b", "is empty or no mapping"),
        ("just text", "is empty or no mapping"),
    ],
)
def test_what_is_no_mapping_in_yaml_is_refused(text, told):
    assert told in problem_of(text)


def test_yaml_cannot_make_objects():
    assert "is not YAML" in problem_of("!!python/object/apply:os.system ['true']")


def test_the_schema_for_editors_refuses_unknown_fields_too():
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"name", "title", "media", "interface", "guidelines", "annotators"}
