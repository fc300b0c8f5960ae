"""How far an erasure goes beyond rows and tasks: views, uploads, replicas, sources, sidecars, handed out sets."""

from __future__ import annotations

import json

import pytest

from labelloop.contracts.data_map import data_map
from labelloop.errors import ConfigurationError, ErasedError, UnavailableError
from tasks.clients.datasets import datasets, find_dataset
from tasks.clients.receipts import receipts
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.sinks import SINKS
from tasks.purge import purge_lake
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_project, erasable_world
from tests.builders.labelled_project import PNG, key_of
from tests.fakes.world import copy_of, lease_of, make_world, under_lease


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return erasable_project(tmp_path_factory.mktemp("template"))


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def with_spec(world, section, **changes):
    """Let the project's spec say something else in one section."""
    changed = type(getattr(world.spec, section)).model_validate(
        {**getattr(world.spec, section).model_dump(), **changes}
    )
    world.spec = world.spec.model_copy(update={section: changed})
    return world


def payload_of(world):
    return json.loads(receipts(world.lake)[-1].payload)


def view(*items):
    return {
        "filters": {"conjunction": "and", "items": [dict(zip(("filter", "value"), i, strict=True)) for i in items]}
    }


def test_every_place_of_the_data_map_has_a_sink_or_a_person_who_is_told():
    assert data_map().uncovered() == []


def test_the_sinks_of_the_eraser_are_those_the_data_map_asks_for():
    # Tables are purged, plans and keys shredded, after all sinks are empty.
    assert {sink.name for sink in SINKS} | {"purge", "shredding"} == data_map().sinks()


def test_a_saved_view_goes_if_it_gives_an_erased_object_away_and_only_then(world):
    made, studio = world.labelled, world.label_studio
    whole = studio.save_view(made.ls_project, view(("filter:tasks:data.image", f"s3://media/{key_of(3)}")))
    listed = studio.save_view(made.ls_project, view(("filter:tasks:data.unit", [made.unit_ids[3], "f" * 32])))
    fragment = studio.save_view(made.ls_project, view(("filter:tasks:data.image", "subject-03")))
    general = studio.save_view(made.ls_project, view(("filter:tasks:data.image", "digits/")))
    other = studio.save_view(made.ls_project, view(("filter:tasks:data.image", key_of(4))))
    empty = studio.save_view(made.ls_project, {})
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    assert set(studio.all_views) == {general, other, empty}
    assert not {whole, listed, fragment} & set(studio.all_views)
    assert payload_of(world)["sinks"]["label_studio_views"]["erased"] == 3


def test_unfinished_uploads_of_the_exact_key_are_aborted(world):
    for key in (key_of(3), key_of(3) + ".json", key_of(4)):
        world.media.begin_upload("media", key)
    ask(world, object_keys=[key_of(3)])
    carry_out_requests(world)
    assert {upload.key for upload in world.media.uploads("media")} == {key_of(3) + ".json", key_of(4)}
    assert payload_of(world)["sinks"]["media_uploads"]["erased"] == 1


def test_an_upload_that_no_object_came_of_is_found_by_its_subject(world):
    world.media.begin_upload("media", "digits/subject-99/never.png")
    ask(world, subjects=["subject-99"])
    carry_out_requests(world)
    assert list(world.media.uploads("media")) == []


def test_declared_replicas_are_erased_with_the_media(world):
    with_spec(world, "media", replicas=[{"bucket": "copies"}])
    world.media.make_bucket("copies", versioned=True)
    world.media.buckets["media"].copied_to = frozenset({"copies"})
    for number in (3, 4):
        world.media.write("copies", key_of(number), PNG, content_type="image/png")
    ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts["done"] == 1
    assert list(world.media.keys_ever("copies")) == [key_of(4)]
    assert payload_of(world)["sinks"]["media_versions"]["found"] == 3


def test_a_hold_in_a_replica_blocks_as_one_in_the_bucket_does(world):
    with_spec(world, "media", replicas=[{"bucket": "copies"}])
    world.media.make_bucket("copies", versioned=True)
    world.media.write("copies", key_of(3), PNG, content_type="image/png")
    version = world.media.versions("copies", key_of(3))[0].version_id
    world.media.put_legal_hold("copies", key_of(3), version, on=True)
    ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts["blocked"] == 1


@pytest.mark.parametrize("bucket", ["media", "lake", "vault"])
def test_a_copy_that_nobody_declared_refuses_the_run_before_any_change(world, bucket):
    world.media.buckets[bucket].copied_to = frozenset({"somewhere"})
    ask(world, subjects=["subject-03"])
    with pytest.raises(ConfigurationError, match="'somewhere'"):
        carry_out_requests(world)
    assert world.table("suppressions").version() is None
    assert len(world.media.versions("media", key_of(3))) == 2


def test_a_source_is_erased_wherever_its_references_are(tmp_path):
    spec = make_world(tmp_path / "spec").spec
    media = {**spec.media.model_dump(), "platform_id": {"platform": "Flickr", "key": r"/(?P<id>[^/]+)\.png"}}
    spec = spec.model_validate({**spec.model_dump(), "media": media})
    world = erasable_world(tmp_path, spec=spec)
    for key in ("digits/s1/52.png", "digits/s2/53.png"):
        world.media.write("media", key, PNG + key.encode(), content_type="image/png")
    under_lease(world, "sync", sync_references)
    ask(world, sources=[{"platform": " flickr", "id": "52 "}])
    assert carry_out_requests(world).counts["done"] == 1
    assert list(world.media.keys_ever("media")) == ["digits/s2/53.png"]


def test_a_sidecar_goes_with_its_object_where_the_spec_reads_sidecars(world):
    for key in (key_of(3) + ".json", key_of(4) + ".json"):
        world.media.write("media", key, b"{}", content_type="application/json")
    with_spec(world, "media", platform_id={"platform": "p", "sidecar": "id"})
    ask(world, object_keys=[key_of(3)])
    carry_out_requests(world)
    assert key_of(3) + ".json" not in list(world.media.keys_ever("media"))
    assert key_of(4) + ".json" in list(world.media.keys_ever("media"))


def test_the_receipt_names_replaced_sets_and_who_was_given_them(world):
    with_spec(world, "export", recipients=["Acme"])
    old = world.labelled.dataset
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    payload = payload_of(world)
    assert [row["training_set"] for row in payload["training_sets"]] == [old]
    assert payload["recipients"] == ["Acme"]
    with pytest.raises(ErasedError, match=payload["training_sets"][0]["replaced_by"]):
        find_dataset(world, old)


def test_the_receipt_says_what_is_out_of_reach_and_which_tables_changed(world):
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    payload = payload_of(world)
    assert {"backups", "label_studio_orphans", "label_studio_files"} <= payload["told"].keys()
    assert payload["purged"] is True
    assert payload["tables"]["digits.units"]["after"] > payload["tables"]["digits.units"]["before"]
    assert {"found", "erased", "remaining", "blocked", "method"} == payload["sinks"]["units"].keys()


@pytest.mark.parametrize(
    ("policy", "days"), [("keep", None), ("stop", 0), ("retrain", 7)], ids=["keep", "stop", "retrain"]
)
def test_a_model_trained_on_erased_rows_scores_as_long_as_the_spec_lets_it(world, policy, days):
    with_spec(world, "erasure", models=policy, retrain_days=7)
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    (model,) = [row for row in world.table("models").read().to_pylist() if row["trained_on_erased"]]
    waits = model["scores_until"] and (model["scores_until"] - world.now()).days
    assert waits == days


def test_a_daily_purge_issues_the_receipt_of_what_was_erased_before(world):
    with_spec(world, "erasure", purge="daily")
    request_id = ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts["purging"] == 1
    assert world.media.versions("media", key_of(3)) == []
    assert receipts(world.lake) == []
    assert world.table("units").leftovers() > 0
    assert carry_out_requests(world).counts["purging"] == 1
    summary = purge_lake(world, lease_of(world, "purge"))
    assert summary.counts["receipts"] == 1
    assert world.table("units").leftovers() == 0
    assert [r.outcome for r in receipts(world.lake)] == ["erased"]
    assert world.hot.get(f"erasure/requests/{request_id}.json").value["state"] == "done"
    assert [key for key in world.hot.keys("erasure/") if "requests" not in key] == []
    assert purge_lake(world, lease_of(world, "purge again")).counts["receipts"] == 0


def test_what_came_back_before_the_purge_opens_the_request_again(world):
    with_spec(world, "erasure", purge="daily")
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    world.media.write("media", key_of(3), PNG, content_type="image/png")
    with pytest.raises(UnavailableError, match="media_versions 1"):
        purge_lake(world, lease_of(world, "purge"))
    assert carry_out_requests(world).counts["purging"] == 1
    purge_lake(world, lease_of(world, "purge again"))
    assert world.media.versions("media", key_of(3)) == []


def test_what_a_hold_blocks_gets_one_interim_receipt_and_a_final_one_after_it(world):
    held = world.media.versions("media", key_of(3))[0].version_id
    world.media.put_legal_hold("media", key_of(3), held, on=True)
    ask(world, subjects=["subject-03"])
    carry_out_requests(world)
    carry_out_requests(world)
    assert [r.outcome for r in receipts(world.lake)] == ["blocked"]
    payload = payload_of(world)
    assert payload["sinks"]["media_versions"] | {"method": ""} == {
        "found": 2,
        "erased": 1,
        "remaining": 1,
        "blocked": 1,
        "method": "",
    }
    assert payload["holds"] == [
        {
            "mode": "legal hold",
            "until": None,
            "lifted_by": "who may s3:PutObjectLegalHold can lift the legal hold",
            "versions": 1,
        }
    ]
    world.media.put_legal_hold("media", key_of(3), held, on=False)
    carry_out_requests(world)
    assert [r.outcome for r in receipts(world.lake)] == ["blocked", "erased"]


def test_many_requests_rewrite_each_table_and_training_set_once(world):
    with_spec(world, "erasure", purge="daily")
    before = {name: world.table(name).version() for name in ("units", "annotations")}
    requests = {ask(world, subjects=[f"subject-{number:02d}"]) for number in (1, 2, 3)}
    assert carry_out_requests(world).counts["purging"] == 3
    assert {name: world.table(name).version() - version for name, version in before.items()} == {
        "units": 1,
        "annotations": 1,
    }
    assert len(datasets(world)) == 2
    purge_lake(world, lease_of(world, "purge"))
    assert {receipt.request_id for receipt in receipts(world.lake)} == requests
    assert [json.loads(r.payload)["sinks"]["media_versions"]["erased"] for r in receipts(world.lake)] == [2, 2, 2]


def test_a_hold_on_one_of_many_requests_blocks_that_one_alone(world):
    held = world.media.versions("media", key_of(2))[0].version_id
    world.media.put_legal_hold("media", key_of(2), held, on=True)
    for number in (1, 2, 3):
        ask(world, subjects=[f"subject-{number:02d}"])
    counts = carry_out_requests(world).counts
    assert (counts["done"], counts["blocked"]) == (2, 1)
    assert [len(world.media.versions("media", key_of(number))) for number in (1, 2, 3)] == [0, 1, 0]


def test_the_receipt_waits_for_old_files(world, monkeypatch):
    monkeypatch.setattr("tasks.erasure.carry_out.purge_reached", lambda *_: None)
    ask(world, subjects=["subject-03"])
    with pytest.raises(UnavailableError, match="unpurged_files"):
        carry_out_requests(world)
    assert receipts(world.lake) == []
