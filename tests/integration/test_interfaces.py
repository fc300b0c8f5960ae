"""Interfaces on the real Label Studio: what we build it takes, and what it refuses is told."""

from __future__ import annotations

import pytest

from deployments.cli.templates import template_names
from labelloop.interface import build
from labelloop.spec.question import CONTROL_TYPES
from tasks.clients.label_studio_interface import refusal_of
from tests.builders.interface_samples import sample_spec
from tests.builders.interfaces import an_interface

pytestmark = pytest.mark.integration


def test_the_server_takes_every_template_and_every_kind_of_question(label_studio):
    given = {name: sample_spec(name).interface for name in template_names()}
    given |= {kind: an_interface(kind) for kind in CONTROL_TYPES}
    refused = {name: refusal_of(label_studio, build(interface)) for name, interface in given.items()}
    assert {name: reason for name, reason in refused.items() if reason} == {}


def test_the_command_tells_what_the_server_refuses(label_studio, stack_environment, labelloop, tmp_path):
    (tmp_path / "doubled.xml").write_text('<View><Image name="i" value="$i"/><Rating name="i" toName="i"/></View>')
    code, _, told = labelloop("interface", "validate", "doubled.xml", "--server")
    assert (code, "Label Studio refuses it: " in told) == (1, True)
