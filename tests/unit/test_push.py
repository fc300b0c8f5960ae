"""What push decides from a spec and rows alone: overlap, task data, predictions."""

from __future__ import annotations

import pytest

from labelloop.push import planned_overlap, prediction
from labelloop.spec import load_spec
from labelloop.task_data import task_data
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id

DIGITS = load_spec(SPEC)


def test_the_overlap_share_is_met_and_never_changes_for_a_unit():
    drawn = [planned_overlap(DIGITS, hex_id(u)) for u in range(5000)]
    assert drawn == [planned_overlap(DIGITS, hex_id(u)) for u in range(5000)]
    assert drawn.count(2) / 5000 == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("digits/a b#c%20ü.png", True),
        ("digits/a?.png", False),
        ("digits/a\nb.png", False),
        ("digits/a.png ", False),
        ("elsewhere/a.png", False),
    ],
)
def test_only_what_label_studio_can_show_inside_the_prefix_becomes_task_data(key, shown):
    data = task_data(DIGITS, {"unit_id": "u", "ref_id": "r", "bucket": "media", "key": key})
    assert isinstance(data, dict) == shown
    assert not shown or data["image"] == f"s3://media/{key}"


def test_another_bucket_never_becomes_task_data():
    assert "outside" in task_data(DIGITS, {"unit_id": "u", "ref_id": "r", "bucket": "other", "key": "digits/a.png"})


def test_a_prediction_is_shown_only_where_the_spec_says_so():
    shown = load_spec(SPEC + "predictions: {show: true}\n")
    assert prediction(DIGITS, score=0.5, version="m", predicted="1")["result"] == []
    (item,) = prediction(shown, score=0.5, version="m", predicted="1")["result"]
    assert (item["from_name"], item["value"]) == ("digit", {"choices": ["1"]})
    assert prediction(shown, score=0.5, version="m", predicted="9")["result"] == []
