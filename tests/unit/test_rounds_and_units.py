"""Units, pool and opinions: what may be chosen, what was asked, whose answers count."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from labelloop.contracts import contract
from labelloop.opinions import opinions, planned, split_rulings, without_confirmations
from labelloop.pool import comparable, scoring_model, split_pool
from labelloop.spec.interface import Interface, Question
from labelloop.units import unit_id, units_of_batch
from tests.builders.answers import NOW, answer


def table(name: str, *rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=contract(name).schema)


def reference(i: int, **changes: object) -> dict:
    return {
        "ref_id": f"{i:032x}",
        "bucket": "media",
        "key": f"digits/{i}.png",
        "media_version": "v1",
        "size": 1,
        "media_type": "image/png",
        "state": "active",
        "first_seen": NOW,
        "changed_at": NOW,
        **changes,
    }


def prediction(i: int, model: str, **changes: object) -> dict:
    return {"ref_id": f"{i:032x}", "model_version": model, "media_version": "v1", "created_at": NOW, **changes}


def unit(i: int, version: str = "v1") -> dict:
    member = [(f"{i:032x}", version)]
    return {
        "unit_id": unit_id("p", "label", "single", member),
        "kind": "single",
        "ref_ids": [member[0][0]],
        "media_versions": [version],
        "purpose": "label",
        "round": 1,
        "created_at": NOW,
    }


def pools(*, references: pa.Table, predictions: pa.Table | None = None, units: pa.Table | None = None, model=None):
    return split_pool(
        references,
        predictions if predictions is not None else table("predictions"),
        units if units is not None else table("units"),
        bucket="media",
        prefix="digits/",
        model_version=model,
    )


def test_what_was_asked_about_is_not_in_the_pool_again():
    fresh, asked = pools(references=table("references", reference(1), reference(2)), units=table("units", unit(1)))
    assert fresh["ref_id"].to_pylist() == [f"{2:032x}"]
    assert asked["ref_id"].to_pylist() == [f"{1:032x}"]


def test_media_that_changed_since_it_was_asked_about_is_in_the_pool_again():
    fresh, _ = pools(references=table("references", reference(1, media_version="v2")), units=table("units", unit(1)))
    assert fresh["media_version"].to_pylist() == ["v2"]


@pytest.mark.parametrize(
    "changes", [{"state": "restricted"}, {"state": "missing"}, {"bucket": "other"}, {"key": "letters/1.png"}]
)
def test_only_active_references_of_the_source_are_in_the_pool(changes):
    fresh, asked = pools(references=table("references", reference(1, **changes)))
    assert fresh.num_rows == asked.num_rows == 0


def test_a_prediction_of_an_older_media_version_is_ignored():
    predictions = table("predictions", prediction(1, "m", media_version="v0", probabilities=[0.5, 0.5]))
    fresh, _ = pools(references=table("references", reference(1)), predictions=predictions, model="m")
    assert fresh["probabilities"].to_pylist() == [None]


def test_the_embedding_comes_from_the_extractor_when_the_model_brings_none():
    predictions = table(
        "predictions",
        prediction(1, "features-a", embedding=[1.0, 2.0]),
        prediction(1, "m", probabilities=[0.5, 0.5], confidence=0.5),
    )
    fresh, _ = pools(references=table("references", reference(1)), predictions=predictions, model="m")
    assert fresh["embedding"].to_pylist() == [[1.0, 2.0]]
    assert fresh["probabilities"].to_pylist() == [[0.5, 0.5]]


def test_rows_that_could_not_be_scored_wait_while_others_were():
    predictions = table("predictions", prediction(1, "features-a", embedding=[1.0]))
    fresh, _ = pools(references=table("references", reference(1), reference(2)), predictions=predictions)
    assert comparable(fresh)["ref_id"].to_pylist() == [f"{1:032x}"]
    nothing_scored, _ = pools(references=table("references", reference(1), reference(2)))
    assert comparable(nothing_scored).num_rows == 2


def test_a_model_trained_on_erased_data_scores_until_its_end():
    def model(version: str, day: int, **changes: object) -> dict:
        return {
            "model_version": version,
            "dataset_version": "d",
            "round": 1,
            "uri": "s3://lake/m",
            "digest": "0" * 64,
            "classes": ["a"],
            "promoted": True,
            "reason": "",
            "trained_on_erased": False,
            "scores_until": None,
            "created_at": NOW.replace(day=day),
            **changes,
        }

    new = model("new", 2, trained_on_erased=True, scores_until=NOW)
    models = table("models", model("old", 1), new, model("no", 3, promoted=False))
    assert scoring_model(models, table("predictions"), now=NOW) == "old"
    assert scoring_model(models, table("predictions"), now=NOW - timedelta(seconds=1)) == "new"
    kept = table("models", model("old", 1), {**new, "scores_until": None})
    assert scoring_model(kept, table("predictions"), now=NOW) == "new"
    given = table("predictions", prediction(1, "theirs", probabilities=[1.0]))
    assert scoring_model(table("models"), given, now=NOW) == "theirs"
    assert scoring_model(table("models"), table("predictions"), now=NOW) is None


def test_units_of_a_batch_keep_their_order_and_purpose():
    chosen = pa.table(
        {
            "ref_id": [f"{2:032x}", f"{1:032x}"],
            "rank": [0, 1],
            "stratum": ["exploit", "audit"],
            "strategy": ["margin", "random"],
            "acquisition_score": [0.9, None],
            "inclusion_probability": [None, 0.1],
            "reason": ["unsure", "audit"],
            "seed": [1, 1],
        }
    )
    members = [[(f"{2:032x}", "v1")], [(f"{1:032x}", "v2")]]
    units, batch = units_of_batch(chosen, members, np.array([0.2, 0.1]), kind="single", project="p", round=3, at=NOW)
    assert units["purpose"].to_pylist() == ["label", "audit"]
    assert batch["unit_id"].to_pylist() == units["unit_id"].to_pylist()
    assert units["unit_id"][1].as_py() == unit_id("p", "audit", "single", [(f"{1:032x}", "v2")])
    assert batch["inclusion_probability"].to_pylist() == [None, 0.1]


def test_how_an_answer_was_confirmed_is_no_opinion():
    order = Question(name="digit", type="ranking", prompt="?", about=("items",))
    interface = Interface(layout="list", questions=(order,))
    rows = table("annotations", answer("u", "a", "1"), answer("u", "a", "1", control="digit_confirmed"))
    assert without_confirmations(rows, interface)["control"].to_pylist() == ["digit"]


def test_agreement_counts_planned_opinions_and_consensus_counts_all():
    rows = table("annotations", answer("u", "a", "1"), answer("u", "b", "2", opinion_reason="adaptive"))
    assert planned(rows, "digit")["annotator"].to_pylist() == ["a"]
    assert opinions(rows, "digit")["annotator"].to_pylist() == ["a", "b"]


@pytest.mark.parametrize("changes", [{"state": "deleted"}, {"state": "cancelled"}, {"choices": []}, {"control": "x"}])
def test_withdrawn_skipped_empty_and_foreign_answers_do_not_count(changes):
    assert opinions(table("annotations", answer("u", "a", "1", **changes)), "digit").num_rows == 0


def test_the_latest_of_two_answers_of_one_annotator_counts():
    later = answer("u", "a", "2", annotation_id="later", updated_at=NOW.replace(hour=9))
    assert opinions(table("annotations", later, answer("u", "a", "1")), "digit")["value"].to_pylist() == ["2"]


def test_experts_who_contradict_each_other_rule_nothing():
    rows = opinions(
        table(
            "annotations",
            answer("u", "e1", "1"),
            answer("u", "e2", "2"),
            answer("v", "e1", "3"),
            answer("v", "a", "4"),
        ),
        "digit",
    )
    others, rulings = split_rulings(rows, {"e1", "e2"})
    assert rulings.to_pylist() == [{"unit": "v", "value": "3"}]
    assert others.to_pylist() == [{"unit": "v", "annotator": "a", "value": "4"}]
