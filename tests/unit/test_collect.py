"""When missing tasks are a clean-up and when somebody has to decide."""

from __future__ import annotations

import pytest

from labelloop.collect import vanished
from labelloop.errors import DecisionNeeded


@pytest.mark.parametrize(("gone", "stops"), [(0, False), (2, False), (3, True)])
def test_up_to_the_limit_a_disappearance_is_a_clean_up(gone, stops):
    known = [{"task_id": n} for n in range(10)]
    present = set(range(gone, 10))
    if stops:
        with pytest.raises(DecisionNeeded):
            vanished(known, present, 0.2)
    else:
        assert len(vanished(known, present, 0.2)) == gone


def test_no_task_at_all_has_not_disappeared():
    assert vanished([], set(), 0.2) == []
