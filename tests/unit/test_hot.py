"""The store of hot state in memory keeps the contract of the real one."""

from __future__ import annotations

import pytest

from labelloop.errors import Conflict
from tasks.clients.hot import update
from tests.contract_suites.hot_suite import HotSuite
from tests.fakes.hot import MemoryHotState


@pytest.fixture
def hot() -> MemoryHotState:
    return MemoryHotState()


class TestMemoryHotState(HotSuite):
    pass


def test_an_update_gives_up_after_losing_every_race(hot):
    def overtaken(_present):
        hot.delete("a.json")
        hot.create("a.json", {"n": 0})
        return {"n": 1}

    hot.create("a.json", {"n": 0})
    with pytest.raises(Conflict, match="3 times"):
        update(hot, "a.json", overtaken, attempts=3)
