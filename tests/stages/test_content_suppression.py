"""Suppression by content: the same bytes stay away under any name; what another subject holds is for a person."""

from __future__ import annotations

import pytest

from labelloop.errors import DecisionNeeded
from labelloop.spec import ProjectSpec
from tasks.clients.erasures import Erasures
from tasks.erasure.content import suppress_content
from tasks.erasure.reach import reach_of
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_world
from tests.fakes.world import under_lease

ANNA, BERT = b"\x89PNG\r\n\x1a\n anna", b"\x89PNG\r\n\x1a\n bert"


@pytest.fixture
def world(tmp_path):
    made = erasable_world(tmp_path)
    erasure = made.spec.erasure.model_copy(update={"suppress_content": True})
    made.spec = ProjectSpec.model_validate(made.spec.model_copy(update={"erasure": erasure}).model_dump())
    put(made, "digits/anna/1.png", ANNA)
    put(made, "digits/bert/1.png", BERT)
    sync(made)
    return made


def put(world, key, data):
    world.media.write("media", key, data, content_type="image/png")


def suppress(world, request_id, shared=None):
    erasures = Erasures(world.hot, world.vault)
    if shared:
        erasures.change(request_id, shared_content=shared)
    (request,) = erasures.of(request_id)
    plan = reach_of([world], erasures.identifiers(request), "media")
    under_lease(world, "erasure", suppress_content, request, plan)


def sync(world):
    return under_lease(world, "sync", sync_references, accept_missing=True, accept_changed=True)


def come_in(world, **objects):
    """Put objects of a new subject into the bucket and return the names of those that sync lets in."""
    for name, data in objects.items():
        put(world, f"digits/new/{name}.png", data)
    sync(world)
    keys = world.table("references").read()["key"].to_pylist()
    return sorted(key.removeprefix("digits/new/").removesuffix(".png") for key in keys if "/new/" in key)


def test_the_same_bytes_stay_away_under_any_name_and_others_of_that_size_come_in(world):
    suppress(world, ask(world, subjects=["anna"]))
    assert come_in(world, twin=ANNA, other=BERT, longer=ANNA + b"!") == ["longer", "other"]


def test_whole_objects_are_read_only_where_the_size_is_that_of_suppressed_content(world):
    suppress(world, ask(world, subjects=["anna"]))
    whole, read_many = [], world.media.read_many

    def noted(bucket, keys, **more):
        whole.extend([] if more.get("limit") else keys)
        return read_many(bucket, keys, **more)

    world.media.read_many = noted
    come_in(world, twin=ANNA, longer=ANNA + b"!")
    assert whole == ["digits/new/twin.png"]


def test_every_version_counts_and_objects_without_bytes_do_not(world):
    put(world, "digits/anna/1.png", b"")
    put(world, "digits/anna/1.png", ANNA + b" second")
    suppress(world, ask(world, subjects=["anna"]))
    assert world.table("suppressions").read()["kind"].to_pylist().count("content") == 2
    assert come_in(world, first=ANNA, second=ANNA + b" second", other=BERT) == ["other"]


def test_bytes_that_another_subject_holds_wait_for_a_person(world):
    put(world, "digits/bert/2.png", ANNA)
    sync(world)
    request_id = ask(world, subjects=["anna"])
    with pytest.raises(DecisionNeeded, match="another subject holds the bytes of 1 of the 1"):
        suppress(world, request_id)
    assert world.table("suppressions").read().num_rows == 0
    suppress(world, request_id, "leave")
    assert come_in(world, twin=ANNA) == ["twin"]
    suppress(world, request_id, "suppress")
    assert come_in(world, triplet=ANNA) == ["twin"]


def test_the_same_subjects_other_copy_is_nobody_elses(world):
    put(world, "digits/anna/2.png", ANNA)
    sync(world)
    suppress(world, ask(world, object_keys=["digits/anna/1.png"]))
    assert come_in(world, twin=ANNA) == []


def test_more_objects_of_that_size_than_can_be_compared_wait_for_a_person(world, monkeypatch):
    monkeypatch.setattr("tasks.erasure.content._MOST_COMPARED", 0)
    with pytest.raises(DecisionNeeded, match="1 objects have the size"):
        suppress(world, ask(world, subjects=["anna"]))


def test_a_second_run_needs_the_media_no_more(world):
    request_id = ask(world, subjects=["anna"])
    suppress(world, request_id)
    before = world.table("suppressions").version()
    versions = world.media.versions("media", "digits/anna/1.png")
    world.media.delete_versions("media", "digits/anna/1.png", [v.version_id for v in versions])
    suppress(world, request_id)
    assert world.table("suppressions").version() == before
    assert come_in(world, twin=ANNA) == []


def test_without_the_specs_consent_no_byte_is_read(world):
    erasure = world.spec.erasure.model_copy(update={"suppress_content": False})
    world.spec = world.spec.model_copy(update={"erasure": erasure})
    world.media.fingerprint = None
    suppress(world, ask(world, subjects=["anna"]))
    assert come_in(world, twin=ANNA) == ["twin"]
