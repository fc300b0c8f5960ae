"""Great Expectations finds what every judge of rows must find, quietly and batch by batch."""

from __future__ import annotations

import pytest

from labelloop.contracts import contract, expectations
from tasks.clients import expectations as module
from tasks.clients.expectations import GreatExpectations
from tests.builders.rows import rows_of
from tests.contract_suites.row_rules_suite import RowRulesSuite

pytestmark = pytest.mark.integration


@pytest.fixture
def judge() -> GreatExpectations:
    return GreatExpectations()


class TestGreatExpectations(RowRulesSuite):
    pass


def test_row_numbers_count_through_all_batches(judge, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 3)
    rows = rows_of("references", [{"size": -1 if n in (2, 3, 7) else 1} for n in range(8)])
    asked = expectations(contract("references"))
    found = dict(zip([(e.rule, e.column) for e in asked], judge.failing(asked, rows), strict=True))
    assert found["range", "size"] == [2, 3, 7]


def test_nothing_is_drawn_on_the_terminal_or_logged(judge, capfd, caplog):
    judge.failing(expectations(contract("references")), rows_of("references", [{}]))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
