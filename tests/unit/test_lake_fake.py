"""The lake in memory keeps the contract of the real one."""

from __future__ import annotations

import pytest

from tests.contract_suites.lake_suite import LakeSuite
from tests.fakes.lake import MemoryLake


class TestMemoryLake(LakeSuite):
    @pytest.fixture
    def lake(self):
        return MemoryLake()
