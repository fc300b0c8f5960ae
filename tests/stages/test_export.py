"""The export stage and withdrawal on a world in memory."""

from __future__ import annotations

import hashlib
import json
import re

import numpy as np
import pyarrow.compute as pc
import pytest

from labelloop.errors import ContractError, ErasedError, HeldByLaw, InputError, LeaseLost
from labelloop.export import parquet_bytes
from tasks.clients.datasets import datasets, latest, read_dataset
from tasks.features import version_of
from tasks.withdrawal import withdraw_rows
from tests.builders.digits import SPEC
from tests.builders.labelled_units import N, figure
from tests.builders.labelled_world import fill, labelled_world, publish
from tests.builders.rows import hex_id, write
from tests.fakes.world import copy_of, make_world, under_lease


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return labelled_world(make_world(tmp_path_factory.mktemp("template")))


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def withdraw(world, *numbers):
    return under_lease(world, "erasure", withdraw_rows, [hex_id(n) for n in numbers])


def test_a_training_set_is_published_with_its_card_and_pointed_to(world):
    summary = publish(world)
    assert summary.counts["published"] == 1
    version = latest(world)
    assert f"version {version}" in summary.notes
    assert world.published.list("datasets/") == [f"datasets/{version}/card.md", f"datasets/{version}/data.parquet"]
    assert read_dataset(world, version).num_rows == N
    row = datasets(world)[version]
    assert json.loads(row["splits"])["train"] == N
    assert json.loads(row["lineage"])["table labels"] == world.table("labels").version()


def test_what_gold_decided_and_where_objects_are_is_published(world):
    box = {"region_id": "r", "labels": ["cat"], "points": [1.0, 1.0, 9.0, 9.0], "confidence": 1.0, "n": 2}
    fill(world, labels={0: {"decided_by": "gold"}, 1: {"label": '["cat"]', "regions": [box]}})
    assert publish(world).counts["rows"] == N
    gold, drawn = read_dataset(world, latest(world)).to_pylist()[:2]
    assert gold["decided_by"] == "gold"
    assert box.items() <= drawn["regions"][0].items()


def test_a_set_of_an_earlier_contract_is_read_with_what_it_lacks_empty(world):
    publish(world)
    version = latest(world)
    old = read_dataset(world, version).drop_columns(["regions", "ranked"])
    data = parquet_bytes(old)
    world.published.write(f"datasets/{version}/data.parquet", data, "application/vnd.apache.parquet")
    row = datasets(world)[version] | {"digest": hashlib.sha256(data).hexdigest()}
    write(world, "datasets", [row])
    found = read_dataset(world, version)
    assert (found.num_rows, found["regions"].null_count) == (N, N)


def test_the_same_labels_are_not_published_twice(world):
    publish(world)
    before = datasets(world)
    world.now.advance(days=1)
    assert publish(world).counts["published"] == 0
    assert datasets(world) == before


def test_a_changed_label_is_a_new_version_and_the_old_one_stays_readable(world):
    publish(world)
    first = latest(world)
    fill(world, labels={0: {"label": "9"}})
    publish(world)
    assert latest(world) != first
    assert read_dataset(world, first)["label"][0].as_py() == "0"


@pytest.mark.parametrize(
    ("near", "alike"),
    [("{}", {"content_hmac": "c" * 64}), ("{exact: false, perceptual_bits: 2}", {}), ("{radius: 0.5}", {})],
    ids=["bytes", "picture", "embedding"],
)
def test_a_label_of_a_near_duplicate_leaves_the_training_set_once_its_like_is_in_the_audit(tmp_path, near, alike):
    spec = re.sub(r"(?m)^sampling: {", f"sampling: {{near_duplicates: {near}, ", SPEC)
    references = {n: {"key": f"digits/{n}"} | (alike if n in (1, 4) else {}) for n in range(N)}
    world = labelled_world(make_world(tmp_path, spec), references=references)
    pictures = np.random.default_rng(0).random((N, 64))
    pictures[4] = pictures[1] + 0.001
    told = {"model_version": version_of(world), "media_version": "v1"}
    write(world, "predictions", [told | {"ref_id": hex_id(n), "embedding": pictures[n].tolist()} for n in range(N)])
    publish(world)
    assert hex_id(4) in read_dataset(world, latest(world))["ref_id"].to_pylist()
    fill(world, references=references, units={1: {"purpose": "audit"}})
    summary = publish(world)
    assert "1 labels left out: near-duplicates of audit references" in summary.notes
    rows = read_dataset(world, latest(world))
    assert rows["ref_id"].to_pylist() == [hex_id(n) for n in range(N) if n != 4]
    assert rows.filter(pc.equal(rows["split"], "audit"))["ref_id"].to_pylist() == [hex_id(1)]


@pytest.mark.parametrize(("reason", "experts", "left_out"), [("novice", 1, 1), ("sample", 1, 0), ("novice", 0, 0)])
def test_what_only_novices_said_waits_for_its_expert(world, reason, experts, left_out):
    spec = world.spec
    world.spec = spec.model_copy(update={"annotators": spec.annotators.model_copy(update={"experts": experts})})
    labels = world.table("labels").read().to_pylist()
    write(world.reviewing(), "batches", [{"unit_id": labels[0]["unit_id"], "round": 1, "reason": reason}])
    summary = publish(world)
    assert summary.counts["rows"] == len(labels) - left_out
    assert ("1 labels left out: an expert is to look at them first" in summary.notes) == bool(left_out)
    write(world, "labels", [labels[0] | {"decided_by": "expert"}])
    assert publish(world).counts["rows"] == len(labels)


def test_low_agreement_publishes_nothing_and_says_so(world):
    write(world, "agreement", [figure(0.2, 0.1, 0.3, round=2, figure_id="f" * 32)])
    summary = publish(world)
    assert summary.counts["published"] == 0
    assert "0.20 [0.10, 0.30] is below the gate 0.60" in summary.notes[0]
    assert latest(world) is None
    assert world.published.list("datasets/") == []


def test_rows_that_break_the_contract_are_not_published(world):
    fill(world, labels={0: {"confidence": 1.5}})
    with pytest.raises(ContractError, match="confidence"):
        publish(world)
    assert world.published.list("datasets/") == []


def test_nothing_accepted_publishes_nothing(world):
    fill(world, labels={"state": "conflict"})
    assert publish(world).notes == ("not published: no accepted label yet",)


def test_a_run_killed_after_the_files_were_written_is_finished_by_the_next(world, monkeypatch):
    def killed(*_, **__):
        raise LeaseLost("killed")

    with monkeypatch.context() as patch:
        patch.setattr("tasks.export.commit", killed)
        with pytest.raises(LeaseLost):
            publish(world)
    assert latest(world) is None
    assert publish(world).counts["published"] == 1
    assert read_dataset(world, latest(world)).num_rows == N


def test_withdrawn_rows_leave_every_set_and_the_old_files_are_gone(world):
    publish(world)
    old = latest(world)
    done = withdraw(world, 3)
    new = latest(world)
    assert done == [{"dataset_version": old, "replaced_by": new, "withdrawn": 1}]
    assert hex_id(3) not in read_dataset(world, new)["ref_id"].to_pylist()
    assert world.published.list(f"datasets/{old}/") == []
    with pytest.raises(ErasedError, match=new):
        read_dataset(world, old)


def test_a_set_without_such_rows_stays_as_it_is(world):
    publish(world)
    before = datasets(world)
    assert withdraw(world, 999) == []
    assert datasets(world) == before


def test_older_sets_are_rewritten_too_and_the_pointer_stays_with_the_newest(world):
    publish(world)
    first = latest(world)
    fill(world, labels={0: {"label": "9"}})
    publish(world)
    second = latest(world)
    done = {entry["dataset_version"]: entry["replaced_by"] for entry in withdraw(world, 3)}
    assert set(done) == {first, second}
    assert latest(world) == done[second]


def test_a_set_of_which_nothing_is_left_is_not_replaced(world):
    publish(world)
    old = latest(world)
    assert withdraw(world, *range(N))[0]["replaced_by"] is None
    assert latest(world) is None
    assert world.published.list("datasets/") == []
    with pytest.raises(ErasedError, match="no row was left"):
        read_dataset(world, old)


def test_models_trained_on_an_erased_set_are_distrusted(world):
    publish(world)
    fresh = {"dataset_version": "0" * 16, "model_version": "model-other", "promoted": True}
    trained = {"dataset_version": latest(world), "model_version": "model-1", "promoted": True}
    write(world, "models", [trained, fresh])
    withdraw(world, 3)
    flags = {r["model_version"]: r["trained_on_erased"] for r in world.table("models").read().to_pylist()}
    assert flags == {"model-1": True, "model-other": False}


@pytest.mark.parametrize("where", ["write", "destroy"])
def test_a_withdrawal_killed_at_any_file_is_finished_by_the_next(world, monkeypatch, where):
    publish(world)
    old = latest(world)

    def killed(*_, **__):
        raise LeaseLost("killed")

    with monkeypatch.context() as patch:
        patch.setattr(world.published, where, killed)
        with pytest.raises(LeaseLost):
            withdraw(world, 3)
    withdraw(world, 3)
    assert datasets(world)[old]["state"] == "erased"
    assert world.published.list(f"datasets/{old}/") == []
    assert read_dataset(world, latest(world)).num_rows == N - 1


def test_a_held_file_stops_the_withdrawal_and_is_not_called_destroyed(world):
    publish(world)
    old = latest(world)
    key = f"projects/{world.project}/published/datasets/{old}/data.parquet"
    held = world.media.versions("lake", key)[0].version_id
    world.media.put_legal_hold("lake", key, held, on=True)
    with pytest.raises(HeldByLaw):
        withdraw(world, 3)


def test_an_unknown_version_and_a_changed_file_are_named(world):
    publish(world)
    with pytest.raises(InputError, match="there is no training set"):
        read_dataset(world, "nope")
    version = latest(world)
    world.published.write(f"datasets/{version}/data.parquet", b"other", "x")
    with pytest.raises(InputError, match="not the one that was published"):
        read_dataset(world, version)
