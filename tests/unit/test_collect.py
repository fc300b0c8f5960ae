"""What counts as an answer; when missing tasks are a clean-up and when somebody has to decide."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labelloop.collect import vanished
from labelloop.errors import DecisionNeeded
from labelloop.workbench import task_from_wire


@pytest.mark.parametrize(("gone", "stops"), [(0, False), (2, False), (3, True)])
def test_up_to_the_limit_a_disappearance_is_a_clean_up(gone, stops):
    known = pa.table({"task_id": range(10)})
    present = set(range(gone, 10))
    if stops:
        with pytest.raises(DecisionNeeded):
            vanished(known, present, 0.2)
    else:
        assert len(vanished(known, present, 0.2)) == gone


def test_no_task_at_all_has_not_disappeared():
    assert len(vanished(pa.table({"task_id": pa.array([], pa.int64())}), set(), 0.2)) == 0


def test_a_draft_is_no_answer():
    draft = {"id": 4, "user": "ann@labelloop.test", "result": [{"from_name": "q"}]}
    wire = {"id": 7, "data": {"unit": "ab"}, "overlap": 1, "is_labeled": False, "drafts": [draft], "annotations": []}
    assert task_from_wire(wire | {"updated_at": "2026-11-22T04:54:45Z"}).annotations == ()
