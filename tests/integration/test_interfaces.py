"""Interfaces on the real Label Studio: what we build it takes, and what it refuses is told."""

from __future__ import annotations

import json
import os
import re

import pytest

from deployments.cli.templates import template_names
from labelloop.interface import build
from labelloop.spec.question import CONTROL_TYPES
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_interface import refusal_of
from tests.builders.interface_samples import sample_spec
from tests.builders.interfaces import an_interface
from tests.checkout import ROOT

pytestmark = pytest.mark.integration


def test_the_server_takes_every_template_and_every_kind_of_question(label_studio):
    given = {name: sample_spec(name).interface for name in template_names()}
    given |= {kind: an_interface(kind) for kind in CONTROL_TYPES}
    refused = {name: refusal_of(label_studio, build(interface)) for name, interface in given.items()}
    assert {name: reason for name, reason in refused.items() if reason} == {}


def test_the_command_tells_what_the_server_refuses(label_studio, stack_environment, labelloop, tmp_path):
    (tmp_path / "bare.xml").write_text('<View><Image name="i" value="$i"/><Choices name="c" toName="i"/></View>')
    code, _, told = labelloop("interface", "validate", "bare.xml", "--server")
    assert (code, "Label Studio refuses it: Validation failed on : 'Choice' is a required" in told) == (1, True)


@pytest.fixture
def walker(prefect, label_studio, media_bucket, stack_environment, monkeypatch, tmp_path, labelloop):
    """A person, or a coding assistant, with a bucket, a lake and a folder of their own."""
    monkeypatch.setenv("LABELLOOP_LAKE_URI", f"{os.environ['LABELLOOP_LAKE_URI']}/{tmp_path.name}")
    return labelloop


def test_a_wish_becomes_an_applied_interface_by_way_of_a_finding(walker, label_studio, tmp_path):
    """The wish and its interface are those of docs/interfaces.md, with one word wrong at first."""
    page = (ROOT / "docs" / "interfaces.md").read_text(encoding="utf-8")
    (wish,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert walker("init", "hooves", "--template", "boxes-polygons", "--out", "hooves.yaml")[0] == 0
    spec = tmp_path / "hooves.yaml"
    template = re.sub(r"(?ms)^interface:.*?(?=^guidelines:)", lambda _: f"{wish}\n", spec.read_text())

    spec.write_text(template.replace("question: hooves", "question: hoof"))
    code, told, _ = walker("spec", "check", "hooves.yaml", "--json")
    (finding,) = json.loads(told)
    assert (code, finding["field"]) == (2, "interface")
    assert "it can wait for ['hooves']" in finding["problem"]

    spec.write_text(template)
    assert walker("spec", "check", "hooves.yaml", "--json")[:2] == (0, "[]\n")
    assert walker("interface", "build", "hooves.yaml", "--out", "hooves.xml")[0] == 0
    assert walker("interface", "validate", "hooves.xml", "--server", "--json")[:2] == (0, "[]\n")

    assert walker("plan", "hooves.yaml", "--check")[0] == 1
    assert walker("apply", "hooves.yaml")[0] == 0
    assert json.loads(walker("plan", "hooves.yaml", "--json")[1])["changes"] == []
    server = connect_label_studio(label_studio)
    settings = server.project(server.find_project("labelloop:hooves:"))
    assert settings["label_config"] == (tmp_path / "hooves.xml").read_text().strip()
