"""What every store of hot state must do; the fake and the real S3 pass the same tests."""

from __future__ import annotations

import threading

import pytest

from labelloop.errors import Conflict
from tasks.clients.hot import HotState, update


class HotSuite:
    """Subclasses give the fixture `hot`: an empty store."""

    def test_an_absent_key_has_no_value(self, hot: HotState):
        assert hot.get("rounds/digits/1.json") is None

    def test_what_was_created_is_read_back_with_its_etag(self, hot: HotState):
        etag = hot.create("a.json", {"n": 1, "text": "ü#% \n", "none": None})
        found = hot.get("a.json")
        assert found is not None
        assert (found.value, found.etag) == ({"n": 1, "text": "ü#% \n", "none": None}, etag)

    def test_a_key_is_created_only_once(self, hot: HotState):
        hot.create("a.json", {"n": 1})
        with pytest.raises(Conflict):
            hot.create("a.json", {"n": 2})
        assert hot.get("a.json").value == {"n": 1}

    def test_a_value_is_replaced_only_at_the_etag_it_was_read_at(self, hot: HotState):
        first = hot.create("a.json", {"n": 1})
        second = hot.replace("a.json", {"n": 2}, first)
        with pytest.raises(Conflict):
            hot.replace("a.json", {"n": 3}, first)
        assert (hot.get("a.json").value, hot.get("a.json").etag) == ({"n": 2}, second)

    def test_an_absent_key_cannot_be_replaced(self, hot: HotState):
        etag = hot.create("a.json", {"n": 1})
        hot.delete("a.json")
        with pytest.raises(Conflict):
            hot.replace("a.json", {"n": 2}, etag)

    def test_deleting_twice_is_fine_and_leaves_longer_keys_alone(self, hot: HotState):
        hot.create("a", {"n": 1})
        hot.create("a.json", {"n": 2})
        hot.delete("a")
        hot.delete("a")
        assert (hot.get("a"), hot.get("a.json").value) == (None, {"n": 2})

    def test_a_deleted_key_can_be_created_again(self, hot: HotState):
        hot.create("a.json", {"n": 1})
        hot.delete("a.json")
        hot.create("a.json", {"n": 2})
        assert hot.get("a.json").value == {"n": 2}

    def test_keys_are_listed_below_a_prefix_in_order(self, hot: HotState):
        for key in ("b/2.json", "b/1.json", "bb/3.json", "c.json"):
            hot.create(key, {})
        assert hot.keys("b/") == ["b/1.json", "b/2.json"]

    def test_concurrent_updates_lose_none(self, hot: HotState):
        def count() -> None:
            for _ in range(5):
                update(hot, "n.json", lambda present: {"n": (present or {"n": 0})["n"] + 1}, attempts=100)

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert hot.get("n.json").value == {"n": 20}

    def test_an_update_that_changes_nothing_writes_nothing(self, hot: HotState):
        etag = hot.create("a.json", {"n": 1})
        assert update(hot, "a.json", lambda present: dict(present or {})) == {"n": 1}
        assert hot.get("a.json").etag == etag
