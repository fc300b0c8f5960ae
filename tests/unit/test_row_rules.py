"""The judge in Arrow, which unit tests use, finds what every judge must find."""

from __future__ import annotations

import pytest

from tests.contract_suites.row_rules_suite import RowRulesSuite
from tests.fakes.expectations import ArrowRowRules


@pytest.fixture
def judge() -> ArrowRowRules:
    return ArrowRowRules()


class TestArrowRowRules(RowRulesSuite):
    pass
