"""The alarm: agreement below the spec's threshold is announced, once for each question, and good agreement is not."""

from __future__ import annotations

import pytest

from labelloop.spec import load_spec
from tasks import agreement
from tests.builders.annotating import at_odds
from tests.builders.digits import SPEC
from tests.fakes.world import under_lease


@pytest.fixture
def told(monkeypatch):
    told = []
    monkeypatch.setattr(agreement, "announce", lambda event, figures, project: told.append((event, figures, project)))
    return told


def test_agreement_below_the_alarm_is_announced_with_its_figure(tmp_path, told):
    summary = under_lease(at_odds(tmp_path), "agreement", agreement.measure_agreement)
    [(event, figures, project)] = told
    assert (event, project, summary.counts["alarms"]) == ("labelloop.agreement.low", "digits", 1)
    assert (figures["control"], figures["alarm"]) == ("digit", 0.4)
    assert figures["alpha"] < 0.4


def test_nobody_has_to_agree_on_remarks(tmp_path, told):
    world = at_odds(tmp_path)
    spec = world.spec
    world.spec = spec.model_copy(update={"interface": spec.interface.model_copy(update={"remarks": ("digit",)})})
    assert under_lease(world, "agreement", agreement.measure_agreement).counts["alarms"] == 0
    assert told == []


def test_agreement_above_the_alarm_is_not(tmp_path, told):
    world = at_odds(tmp_path)
    world.spec = load_spec(SPEC + "quality: {alarm: -1, gate: 0}\n")
    assert under_lease(world, "agreement", agreement.measure_agreement).counts["alarms"] == 0
    assert told == []
