"""What push decides from a spec and rows alone: overlap, task data, predictions."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labelloop.push import Wanted, blinded, importable, is_blind, planned_overlap, prediction
from labelloop.spec import load_spec
from labelloop.task_data import task_data
from tests.builders.digits import SPEC
from tests.builders.interface_samples import sample_spec, sample_unit
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


def test_a_random_share_of_units_shows_nothing_of_a_model_and_keeps_its_place_in_the_queue():
    spec = load_spec(SPEC + "predictions: {show: true, blind_share: 0.2}\n")
    units = [hex_id(u) for u in range(2000)]
    rows = pa.table({"unit_id": units, "queue_score": [0.4] * 2000, "predicted": ["1"] * 2000})
    wanted = blinded(spec, Wanted("m", missing=rows, outdated=rows, live=rows))
    blind = [is_blind(spec, unit) for unit in units]
    assert 0.17 < sum(blind) / len(blind) < 0.23
    for table in (wanted.missing, wanted.live):
        assert [predicted is None for predicted in table["predicted"].to_pylist()] == blind
        assert table["queue_score"].to_pylist() == [0.4] * 2000
    assert prediction(spec, score=0.4, version="m", predicted=None) == {
        "model_version": "m",
        "score": 0.4,
        "result": [],
    }


def test_blind_units_and_overlap_are_drawn_independently():
    spec = load_spec(SPEC + "predictions: {show: true, blind_share: 0.5}\n")
    several = [is_blind(spec, hex_id(u)) for u in range(5000) if planned_overlap(spec, hex_id(u)) > 1]
    assert 0.45 < sum(several) / len(several) < 0.55


@pytest.mark.parametrize(("share", "told"), [(0.0, True), (1.0, False)])
def test_items_of_blind_units_come_without_score(share, told):
    spec = sample_spec("triage")
    spec = spec.model_copy(update={"predictions": spec.predictions.model_copy(update={"blind_share": share})})
    row = sample_unit("triage") | {"queue_score": 0.5, "predicted": None}
    missing = pa.Table.from_pylist([row])
    tasks, _ = importable(spec, Wanted("m", missing, missing, missing), lambda _: {})
    (task,) = tasks.values()
    assert ("score" in str(task["data"]["items"])) is told
