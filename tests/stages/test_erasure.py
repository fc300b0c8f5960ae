"""Erasure on a world in memory: everything of the subject goes, nothing else does, and the receipt says so."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from labelloop.erasure.receipt_chain import verify_chain
from labelloop.errors import DecisionNeeded, InputError, SuppressionKeyError, UnavailableError, WrongServerError
from labelloop.identity import KeyRing
from tasks.clients.datasets import datasets, latest, read_dataset
from tasks.clients.erasures import Erasures
from tasks.clients.receipt_keys import genuine, published
from tasks.clients.receipts import receipts
from tasks.erasure.audit import audit_erasures, preview_requests
from tasks.erasure.carry_out import carry_out_requests
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_project
from tests.builders.labelled_project import PNG, N, key_of
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import copy_of, lease_of

TABLES = ("units", "predictions", "batches", "tasks", "annotations", "labels", "quarantine", "references")
NONE = {"done": 0, "waiting": 0, "blocked": 0, "purging": 0, "overdue": 0}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return erasable_project(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def rows(world, table):
    return world.table(table).read().to_pylist()


def payload_of(world):
    return json.loads(receipts(world.lake)[-1].payload)


def test_everything_of_the_subject_goes_and_the_receipt_counts_it(world):
    made = world.labelled
    ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts == {**NONE, "done": 1}
    assert world.media.versions("media", key_of(3)) == []
    assert made.ref_ids[3] not in {row["ref_id"] for row in rows(world, "references")}
    gone = {made.unit_ids[3], made.unit_ids[N]}  # the pair had the subject as a member
    for table in ("units", "batches", "tasks", "annotations", "labels"):
        assert {row["unit_id"] for row in rows(world, table)} == set(made.unit_ids) - gone
    assert set(world.label_studio.all_tasks) == set(made.task_ids) - {made.task_ids[3], made.task_ids[N]}
    sinks = payload_of(world)["sinks"]
    assert {place: counted["found"] for place, counted in sinks.items()} == {
        "inbox_files": 0,
        "label_studio_tasks": 2,
        "label_studio_views": 0,
        "label_studio_orphans": 0,
        "label_studio_files": 0,
        "label_studio_log": 0,
        "predictions": 1,
        "batches": 2,
        "annotations": 2,
        "labels": 2,
        "tasks": 2,
        "quarantine": 1,
        "units": 2,
        "training_sets": 1,
        "models": 1,
        "references": 1,
        "media_versions": 2,
        "media_uploads": 0,
    }
    assert {counted["remaining"] for counted in sinks.values()} == {0}


def test_nothing_else_changes(world):
    made = world.labelled
    before = {table: rows(world, table) for table in TABLES}
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    mine = {made.ref_ids[3], made.unit_ids[3], made.unit_ids[N]}
    for table in set(TABLES) - {"quarantine"}:
        key = world.table(table).contract.primary_key[0]
        kept = [r for r in before[table] if not mine & {r.get("unit_id"), r.get("ref_id")}]
        assert sorted(rows(world, table), key=lambda r: r[key]) == sorted(kept, key=lambda r: r[key])
    assert len(rows(world, "quarantine")) == 1
    assert all(len(world.media.versions("media", key_of(i))) == 2 for i in range(N) if i != 3)


def test_the_training_set_is_replaced_and_its_model_flagged(world):
    made = world.labelled
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert datasets(world)[made.dataset]["state"] == "erased"
    assert latest(world) != made.dataset
    assert made.ref_ids[3] not in read_dataset(world, latest(world))["ref_id"].to_pylist()
    flagged = {row["model_version"]: row["trained_on_erased"] for row in rows(world, "models")}
    assert sorted(flagged.values()) == [False, True]
    assert payload_of(world)["models_flagged"] == 1


def test_only_the_exact_key_goes(world):
    siblings = ["digits/k.png", "digits/k.png.json", "digits/k.png2", "digits/k.pn"]
    for key in siblings:
        world.media.write("media", key, PNG, content_type="image/png")
    ask(world, object_keys=["digits/k.png"])
    carry_out_requests(world)
    assert [bool(world.media.versions("media", key)) for key in siblings] == [False, True, True, True]


def test_a_prefix_covers_what_lies_below_it_and_no_longer_name(world):
    for key in ("digits/subject-031/a.png", "digits/subject-03/deep/b.txt"):
        world.media.write("media", key, PNG, content_type="image/png")
    ask(world, prefixes=["digits/subject-03/"])
    carry_out_requests(world)
    assert list(world.media.keys_ever("media", "digits/subject-03/")) == []
    assert len(world.media.versions("media", "digits/subject-031/a.png")) == 1


def test_objects_sync_never_admitted_go_too(world):
    refused = "digits/subject-03/empty.png"
    deleted = "digits/subject-03/deleted.png"
    for key in (refused, deleted):
        world.media.write("media", key, b"", content_type="image/png")
    world.media.delete_plainly("media", deleted)
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert list(world.media.keys_ever("media", "digits/subject-03/")) == []


def test_what_was_erased_is_not_admitted_again(world):
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    for key in (key_of(3), "digits/subject-03/again.png"):
        world.media.write("media", key, PNG, content_type="image/png")
    lease = lease_of(world, "erasure-test")
    assert sync_references(world, lease).counts["suppressed"] == 2


def test_a_task_of_a_killed_push_is_found_by_its_unit(world):
    made = world.labelled
    twin = {"unit": made.unit_ids[3], "ref": made.ref_ids[3], "image": "s3://media/x"}
    stray = world.label_studio.import_tasks(made.ls_project, [{"data": twin}])
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert not set(stray) & set(world.label_studio.all_tasks)


def test_another_label_studio_server_is_refused(world):
    ask(world, subjects=["subject-03"])
    world.label_studio = MemoryLabelStudio()
    with pytest.raises(WrongServerError):
        carry_out_requests(world)
    assert receipts(world.lake) == []


def test_a_request_that_matches_nothing_is_answered_with_a_receipt_of_zeros(world):
    ask(world, subjects=["nobody"], object_keys=["digits/none.png"])
    assert carry_out_requests(world).counts["done"] == 1
    assert {counted["found"] for counted in payload_of(world)["sinks"].values()} == {0}


def test_an_erasure_done_twice_changes_nothing_more(world):
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    before = {table: world.table(table).version() for table in (*TABLES, "receipts", "suppressions")}
    carry_out_requests(world)
    assert {table: world.table(table).version() for table in before} == before
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert {counted["found"] for counted in payload_of(world)["sinks"].values()} == {0}


def test_a_legal_hold_blocks_the_request_and_only_its_media(world):
    made = world.labelled
    held = world.media.versions("media", key_of(3))[1].version_id
    world.media.put_legal_hold("media", key_of(3), held, on=True)
    request_id = ask(world, subjects=["subject-03", "subject-05"])
    assert carry_out_requests(world).counts["blocked"] == 1
    assert [v.version_id for v in world.media.versions("media", key_of(3))] == [held]
    assert world.media.versions("media", key_of(5)) == []
    assert made.task_ids[3] not in world.label_studio.all_tasks
    states = {row["ref_id"]: row["state"] for row in rows(world, "references")}
    assert states[made.ref_ids[3]] == "restricted"
    assert made.ref_ids[5] not in states
    record = world.hot.get(f"erasure/requests/{request_id}.json").value
    assert "1 version(s) of media are held (legal hold; who may s3:PutObjectLegalHold" in record["reason"]
    assert carry_out_requests(world).counts["blocked"] == 1
    world.media.put_legal_hold("media", key_of(3), held, on=False)
    assert carry_out_requests(world).counts == {**NONE, "done": 1}
    assert world.media.versions("media", key_of(3)) == []


def test_a_deletion_that_is_answered_and_not_done_is_done_again(world):
    world.media.lies["media"] = 2
    ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts["done"] == 1
    assert world.media.versions("media", key_of(3)) == []


def test_a_server_that_keeps_lying_gets_no_receipt(world):
    world.media.lies["media"] = 10**6
    ask(world, object_keys=[key_of(3)])
    with pytest.raises(UnavailableError):
        carry_out_requests(world)
    assert receipts(world.lake) == []
    world.media.lies["media"] = 0
    assert carry_out_requests(world).counts["done"] == 1


def test_more_objects_than_the_limit_wait_for_a_person_but_are_restricted_at_once(world):
    erasure = world.spec.erasure.model_copy(update={"max_objects_without_approval": 2})
    world.spec = world.spec.model_copy(update={"erasure": erasure})
    request_id = ask(world, subjects=["subject-01", "subject-02", "subject-03"])
    assert carry_out_requests(world).counts["waiting"] == 1
    assert len(world.media.versions("media", key_of(1))) == 2
    assert [row["state"] for row in rows(world, "references")].count("restricted") == 3
    Erasures(world.hot, world.vault).change(request_id, approved=True)
    assert carry_out_requests(world).counts["done"] == 1
    assert world.media.versions("media", key_of(1)) == []


def test_a_wrong_suppression_key_stops_before_any_change(world):
    ask(world, subjects=["subject-03"])
    world.keys = KeyRing({"k1": b"another key of thirty-two bytes!"}, current="k1")
    with pytest.raises(SuppressionKeyError):
        carry_out_requests(world)
    assert len(world.media.versions("media", key_of(3))) == 2


def test_receipts_form_one_verifiable_chain_without_identifiers(world):
    for number in (1, 2, 3):
        ask(world, subjects=[f"subject-{number:02d}"])
    carry_out_requests(world)
    found = receipts(world.lake)
    assert len(found) == 3
    verify_chain(found, genuine(published(world.hot, world.settings)))
    text = "".join(receipt.model_dump_json() for receipt in found)
    assert not [word for word in ("subject-", "digits/", *world.labelled.ref_ids) if word in text]


def test_nothing_that_names_the_subject_stays_in_hot_state(world):
    request_id = ask(world, subjects=["subject-03"], object_keys=[key_of(3)])
    assert "subject-03" not in json.dumps(everything(world.hot))
    carry_out_requests(world)
    record = world.hot.get(f"erasure/requests/{request_id}.json").value
    assert (record["state"], record["payload"]) == ("done", None)
    assert world.hot.keys("erasure/plans/") == []
    assert not [key for key in world.vault.keys("") if "erasure" in key]


def test_an_overdue_request_is_counted(world):
    held = world.media.versions("media", key_of(3))[0].version_id
    world.media.put_legal_hold("media", key_of(3), held, on=True)
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    world.now.advance(days=40)
    assert carry_out_requests(world).counts["overdue"] == 1


def test_a_preview_counts_the_reach_and_changes_nothing(world):
    ask(world, subjects=["subject-03"])
    before = everything(world.hot), [world.table(table).version() for table in TABLES]
    (summary,) = preview_requests(world)
    assert summary.counts["objects"] == 1
    assert (summary.counts["units"], summary.counts["media_versions"]) == (2, 2)
    assert (everything(world.hot), [world.table(table).version() for table in TABLES]) == before


def test_an_audit_after_an_erasure_finds_nothing_back(world):
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert audit_erasures(world).counts == {
        "receipts": 1,
        "offered": 0,
        "returned": 0,
        "lost": 0,
        "overdue": 0,
        "unproven": 0,
    }
    world.media.write("media", key_of(3), PNG, content_type="image/png")
    assert audit_erasures(world).counts["offered"] == 1


def test_an_audit_stops_when_something_erased_is_back_in_the_lake(world):
    before = rows(world, "references")
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    table = world.table("references")
    table.upsert(pa.Table.from_pylist(before, schema=table.contract.schema), fence=lambda: None)
    with pytest.raises(DecisionNeeded, match="returned 1"):
        audit_erasures(world)


def test_an_audit_refuses_a_changed_receipt(world):
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    table = world.table("receipts")
    forged = [{**row, "payload": row["payload"].replace("0", "1")} for row in rows(world, "receipts")]
    table.upsert(pa.Table.from_pylist(forged, schema=table.contract.schema), fence=lambda: None)
    with pytest.raises(InputError, match="digest does not fit"):
        audit_erasures(world)


def everything(hot):
    return {key: hot.get(key).value for key in hot.keys("") if not key.startswith("leases/")}
