"""The page of agreement has every control of Label Studio, with what the code makes of its answers."""

from __future__ import annotations

import re

import pytest

from docs.agreement_page import CONSENSUS, PAGE, controls_table
from labelloop.agreement.drawn import SHAPES
from labelloop.agreement.question import COMPARED_BY
from labelloop.consensus.question import RESOLVED_BY
from labelloop.consensus.shaped import shape_of
from labelloop.interface.answered_as import ANSWERED_AS, NOT_READ
from labelloop.interface.parse import parse
from labelloop.interface.tags import CONTROLS
from labelloop.spec.question import CONTROL_TYPES

BUCKETS = ("keep", "drop")
# What the items of these controls say of their type, where it is not the name of the control.
TYPES = {"Magicwand": "brush", "Relations": "relation"}


def is_read(tag):
    item = {"id": "r1", "from_name": "q", "to_name": "x", "type": TYPES.get(tag, tag.lower()), "value": {}}
    return parse([item], {})[1] != [("q", "its kind of answer is not known")]


def test_every_control_is_on_the_page_once_with_its_figures_or_the_reason():
    told = re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in controls_table().splitlines()[2:]))
    assert set(told) >= CONTROLS
    assert set(ANSWERED_AS) | set(NOT_READ) >= CONTROLS
    assert not set(ANSWERED_AS) & set(NOT_READ)
    assert controls_table() in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", sorted(CONTROLS))
def test_a_control_is_compared_if_and_only_if_its_answers_are_read(tag):
    assert (tag in ANSWERED_AS) == is_read(tag)


def test_every_kind_has_a_control_and_what_resolves_it():
    kinds = {kind for kinds in ANSWERED_AS.values() for kind in kinds}
    assert kinds == set(COMPARED_BY) == set(CONSENSUS) == set(CONTROL_TYPES)
    assert set(RESOLVED_BY) | set(SHAPES) == {kind for kind, how in CONSENSUS.items() if "not supported" not in how}
    assert all(shape_of(kind, BUCKETS).method in CONSENSUS[kind] for kind in (*SHAPES, "ranking"))
