"""Score: what still lacks a prediction, and why a prediction from outside is not believed."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from labelloop.contracts import contract
from labelloop.errors import InputError
from labelloop.predictions import screen_predictions
from labelloop.score import embedding_rows, prediction_rows, waiting

AT = datetime(2026, 1, 5, tzinfo=UTC)
SOURCE = {"bucket": "media", "prefix": "in/"}
CLASSES = ("cat", "dog")


def ref(number: int) -> str:
    return f"{number:032x}"


def reference(number: int, **changes) -> dict:
    row = dict.fromkeys(contract("references").schema.names)
    row |= {"ref_id": ref(number), "bucket": "media", "key": f"in/{number}.png", "media_version": "v1"}
    row |= {"size": 1, "media_type": "image/png", "state": "active", "first_seen": AT, "changed_at": AT}
    return row | changes


def references(*rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=contract("references").schema)


def told(*rows: tuple[int, str, str], at: datetime = AT) -> pa.Table:
    """Rows of predictions: reference number, model version, media version."""
    listed = [
        {"ref_id": ref(number), "model_version": model, "media_version": media, "created_at": at, "confidence": 0.5}
        for number, model, media in rows
    ]
    schema = contract("predictions").schema
    known = ("ref_id", "model_version", "media_version", "created_at", "confidence")
    return pa.Table.from_pylist(listed, schema=pa.schema([schema.field(name) for name in known]))


def screen(given: dict, known: pa.Table | None = None, present: pa.Table | None = None):
    known = known or references(*map(reference, range(1, 5)))
    options = {"classes": CLASSES, "version": "file-1", "at": AT, **SOURCE}
    return screen_predictions(pa.table(given), known, present or told(), **options)


def test_references_wait_until_the_model_has_seen_their_present_bytes():
    known = references(
        reference(1),
        reference(2),
        reference(3),
        reference(4, state="missing"),
        reference(5, key="out/5.png"),
        reference(6, bucket="other"),
        reference(7, state="restricted"),
    )
    present = told((1, "m", "v1"), (2, "m", "v0"), (3, "older", "v1"))
    assert waiting(known, present, **SOURCE, model="m")["ref_id"].to_pylist() == [ref(2), ref(3)]


def test_a_prefix_is_taken_literally():
    known = references(reference(1, key="a_%/x"), reference(2, key="abc/x"))
    assert waiting(known, told(), bucket="media", prefix="a_%/", model="m")["ref_id"].to_pylist() == [ref(1)]


def test_prediction_rows_keep_their_contract_and_name_the_most_probable_class():
    rows = prediction_rows(
        references(reference(1), reference(2)),
        np.array([[0.25, 0.75], [0.5, 0.5]]),
        classes=CLASSES,
        version=pa.array(["m", "m"]),
        at=AT,
    )
    assert rows.schema == contract("predictions").schema
    assert rows["predicted"].to_pylist() == ["dog", "cat"]
    assert rows["confidence"].to_pylist() == [0.75, 0.5]


def test_media_that_could_not_be_read_is_remembered_without_a_vector():
    known = references(reference(1), reference(2))
    rows = embedding_rows(known, [np.array([0.5], np.float32), None], version="features-1", at=AT)
    assert rows["embedding"].to_pylist() == [[0.5], None]
    assert waiting(known, rows, **SOURCE, model="features-1").num_rows == 0


def test_good_predictions_are_located_by_key_or_by_reference():
    by_key = screen({"key": ["in/2.png"], "probabilities": [[0.1, 0.9]], "embedding": [[1.0, 2.0]]})
    by_ref = screen({"ref_id": [ref(2)], "probabilities": [[0.1, 0.9]], "embedding": [[1.0, 2.0]]})
    assert by_key == by_ref
    assert by_key.refused == {}
    row = by_key.rows.to_pylist()[0]
    assert (row["ref_id"], row["model_version"], row["predicted"]) == (ref(2), "file-1", "dog")
    assert row["embedding"] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("probabilities", "rule"),
    [
        ([float("nan"), 1.0], "not_finite"),
        ([-0.5, 1.5], "negative"),
        ([0.5, 0.6], "not_summing_to_one"),
        ([0.2, 0.3, 0.5], "wrong_class_count"),
        (None, "missing"),
    ],
)
def test_broken_probabilities_are_refused_by_name_and_the_rest_is_kept(probabilities, rule):
    found = screen({"ref_id": [ref(1), ref(2)], "probabilities": [probabilities, [0.5, 0.5]]})
    assert found.refused == {0: rule}
    assert found.rows["ref_id"].to_pylist() == [ref(2)]


def test_unknown_references_and_those_outside_the_source_are_refused():
    known = references(reference(1), reference(2, bucket="other"), reference(3, state="restricted"))
    found = screen({"ref_id": [ref(1), ref(2), ref(3), ref(9)], "probabilities": [[0.5, 0.5]] * 4}, known)
    assert found.refused == dict.fromkeys([1, 2, 3], "unknown_reference")


def test_both_of_two_predictions_for_one_reference_are_refused():
    found = screen({"ref_id": [ref(1), ref(1), ref(2)], "probabilities": [[0.5, 0.5], [0.1, 0.9], [0.5, 0.5]]})
    assert found.refused == {0: "duplicate", 1: "duplicate"}


def test_two_models_may_speak_of_one_reference():
    given = {"ref_id": [ref(1)] * 2, "probabilities": [[0.5, 0.5]] * 2, "model_version": ["a", "b"]}
    assert screen(given).rows["model_version"].to_pylist() == ["a", "b"]


def test_a_prediction_that_names_no_model_version_is_refused_where_the_column_exists():
    given = {"ref_id": [ref(1), ref(2)], "probabilities": [[0.5, 0.5]] * 2, "model_version": ["a", None]}
    assert screen(given).refused == {1: "missing_model_version"}


def test_predictions_of_older_bytes_are_refused_whether_they_say_so_or_the_lake_knows():
    known = references(reference(1, media_version="v2"), reference(2, media_version="v2"), reference(3))
    given = {
        "ref_id": [ref(1), ref(2), ref(3)],
        "probabilities": [[0.5, 0.5]] * 3,
        "media_version": ["v1", None, None],
    }
    found = screen(given, known, told((2, "file-1", "v1")))
    assert found.refused == {0: "stale_media_version", 1: "stale_media_version"}
    assert found.rows["ref_id"].to_pylist() == [ref(3)]


def test_a_model_version_that_another_has_followed_is_stale_but_what_it_said_before_stays():
    later = AT.replace(year=2027)
    lake = pa.concat_tables([told((1, "old", "v1")), told((2, "new", "v1"), at=later)])
    given = {"ref_id": [ref(1), ref(3), ref(4)], "probabilities": [[0.5, 0.5]] * 3}
    found = screen(given | {"model_version": ["old", "old", "new"]}, present=lake)
    assert (found.refused, found.present) == ({1: "stale_model_version"}, 1)
    assert found.rows["ref_id"].to_pylist() == [ref(4)]


def test_models_first_heard_of_at_once_and_never_before_are_not_stale():
    lake = told((1, "a", "v1"), (1, "b", "v1"))
    given = {"ref_id": [ref(2)] * 3, "probabilities": [[0.5, 0.5]] * 3, "model_version": ["a", "b", "c"]}
    assert screen(given, present=lake).refused == {}


def test_what_is_in_the_lake_already_is_neither_taken_in_again_nor_refused():
    found = screen({"ref_id": [ref(1)], "probabilities": [[0.5, 0.5]]}, present=told((1, "file-1", "v1")))
    assert (found.rows.num_rows, found.refused, found.present) == (0, {}, 1)


def test_a_vector_of_another_length_or_with_nan_is_refused():
    vectors = [[1.0, 2.0], [3.0, 4.0], [1.0], [float("nan"), 1.0]]
    found = screen({"ref_id": [ref(i) for i in range(1, 5)], "probabilities": [[1.0, 0.0]] * 4, "embedding": vectors})
    assert found.refused == {2: "unusable_embedding", 3: "unusable_embedding"}


def test_an_empty_file_gives_nothing():
    given = {"ref_id": pa.array([], pa.string()), "probabilities": pa.array([], pa.list_(pa.float64()))}
    assert screen(given).rows.num_rows == 0


@pytest.mark.parametrize(
    "given",
    [
        {"name": ["x"], "probabilities": [[0.5, 0.5]]},
        {"ref_id": [ref(1)]},
        {"ref_id": [ref(1)], "probabilities": ["high"]},
        {"ref_id": pa.array([[1]]), "probabilities": [[0.5, 0.5]]},
    ],
)
def test_a_file_of_another_shape_is_refused_whole(given):
    with pytest.raises(InputError):
        screen(given)
