"""Where references come from and whose they are: inventory, reference file, and ids in four places."""

from __future__ import annotations

import pytest

from labelloop.erasure.request import Identifiers
from labelloop.erasure.suppression import suppression_rows
from labelloop.errors import InputError
from labelloop.spec import ProjectSpec, load_spec
from tasks.clients.world import World
from tasks.suppression import suppressions_in_force
from tasks.sync import sync_references
from tests.builders.digits import SPEC
from tests.builders.inventory import FOLDER, deliver, row
from tests.fakes.world import make_world, under_lease

PNG = b"\x89PNG\r\n\x1a\n"


def world_with(tmp_path, **media) -> World:
    spec = load_spec(SPEC).model_dump()
    spec["media"] = {"bucket": "media", "prefix": "digits/", "include": ["*.png"], **media}
    world = make_world(tmp_path, ProjectSpec.model_validate(spec))
    world.media.make_bucket("inventories")
    return world


def put(world, key, data=PNG, *, tags=None, metadata=None):
    world.media.write("media", key, data, content_type="image/png")
    world.media.describe("media", key, tags=tags or {}, metadata=metadata or {})


def sync(world):
    counts = under_lease(world, "sync", sync_references).counts
    return {kind: n for kind, n in counts.items() if n}


def references(world):
    return {one["key"]: one for one in world.table("references").read().to_pylist()}


def suppress(world, **named):
    suppressions_in_force(world)
    wanted = Identifiers(verification="seen", **named)
    rows = suppression_rows(wanted, "media", world.keys, request_id="0" * 32, now=world.now())
    world.table("suppressions").upsert(rows, fence=lambda: None)


PLACES = {
    "key": ({"key": "digits/(?P<subject>[^-]+)-"}, lambda w, k, _: put(w, k)),
    "tag": ({"tag": "Person"}, lambda w, k, s: put(w, k, tags={"Person": s})),
    "metadata": ({"metadata": "Person"}, lambda w, k, s: put(w, k, metadata={"Person": s})),
    "sidecar": (
        {"sidecar": "person.id"},
        lambda w, k, s: (put(w, k), put(w, f"{k}.json", b'{"person": {"id": "%s"}}' % s.encode())),
    ),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_subject_is_known_by_its_keyed_digest_wherever_its_id_is_written(tmp_path, place):
    written, write = PLACES[place]
    world = world_with(tmp_path, subject_id=written)
    write(world, "digits/anna-1.png", "anna")
    assert sync(world) == {"added": 1}
    row = references(world)["digits/anna-1.png"]
    assert row["subject_hmac"] == world.keys.digest("subject", "anna")
    assert row["hmac_key_id"] == world.keys.current


@pytest.mark.parametrize("place", PLACES)
def test_a_suppressed_subject_stays_out_wherever_its_id_is_written(tmp_path, place):
    written, write = PLACES[place]
    world = world_with(tmp_path, subject_id=written)
    suppress(world, subjects=["anna"])
    write(world, "digits/anna-1.png", "anna")
    write(world, "digits/bert-1.png", "bert")
    assert sync(world) == {"added": 1, "suppressed": 1}


@pytest.mark.parametrize(
    ("written", "tags"),
    [({"platform": "Flickr", "key": "digits/(?P<id>\\d+)"}, {}), ({"platform": "Flickr", "tag": "id"}, {"id": "17"})],
)
def test_what_a_platform_calls_an_object_is_kept_as_a_digest(tmp_path, written, tags):
    world = world_with(tmp_path, platform_id=written)
    put(world, "digits/17.png", tags=tags)
    assert sync(world) == {"added": 1}
    assert references(world)["digits/17.png"]["source_hmac"] == world.keys.digest("source", "flickr:17")


def test_an_object_waits_for_the_id_that_is_still_on_its_way(tmp_path):
    world = world_with(tmp_path, subject_id={"tag": "person"})
    put(world, "digits/1.png", tags={"other": "x"})
    put(world, "digits/2.png", tags={"person": "bert"})
    assert sync(world) == {"added": 1, "refused": 1}
    world.media.describe("media", "digits/1.png", tags={"person": "anna"}, metadata={})
    assert sync(world) == {"added": 1, "unchanged": 1}
    assert references(world)["digits/1.png"]["subject_hmac"] == world.keys.digest("subject", "anna")


def test_an_optional_id_may_be_lacking(tmp_path):
    world = world_with(tmp_path, subject_id={"tag": "person", "optional": True})
    put(world, "digits/1.png")
    assert sync(world) == {"added": 1}
    assert references(world)["digits/1.png"]["subject_hmac"] is None


@pytest.mark.parametrize(
    "text",
    [b"{", b"\xff", b"[" * 60_000, b'{"id": ["a"]}', b'{"id": true}', b'{"id": "a", "x": "%s"}' % (b"x" * 70_000)],
)
def test_a_sidecar_that_cannot_be_read_makes_its_object_wait(tmp_path, text):
    world = world_with(tmp_path, subject_id={"sidecar": "id", "optional": True})
    put(world, "digits/1.png")
    put(world, "digits/1.png.json", text)
    put(world, "digits/2.png")
    put(world, "digits/2.png.json", b'{"id": 7}')
    assert sync(world) == {"added": 1, "refused": 1}
    assert references(world)["digits/2.png"]["subject_hmac"] == world.keys.digest("subject", "7")


def test_a_suppressed_key_without_its_id_is_suppressed_and_not_kept_in_quarantine(tmp_path):
    world = world_with(tmp_path, subject_id={"tag": "person"})
    suppress(world, object_keys=["digits/1.png"])
    put(world, "digits/1.png")
    put(world, "digits/2.png", tags={"person": "bert"})
    assert sync(world) == {"added": 1, "suppressed": 1}
    assert world.table("quarantine").read().num_rows == 0


def test_references_come_from_an_inventory(tmp_path):
    world = world_with(tmp_path, source={"kind": "inventory", "uri": f"s3://inventories/{FOLDER}"})
    for number in (1, 2, 3):
        put(world, f"digits/{number}.png")
    deliver(world.media, [[row("digits/1.png", etag="a"), row("digits/2.png", etag="b")]])
    assert sync(world) == {"added": 2}
    assert sync(world) == {"unchanged": 2}


def test_references_come_from_a_file_that_another_job_wrote(tmp_path):
    world = world_with(tmp_path, source={"kind": "reference_file", "uri": "s3://media/jobs/refs.csv"})
    suppress(world, subjects=["anna"])
    for number in (1, 2, 3):
        put(world, f"digits/{number}.png")
    lines = [
        "uri,subject,source_platform,source_id",
        "s3://media/digits/1.png,anna,,",
        "s3://media/digits/2.png,bert,Flickr,17",
    ]
    put(world, "jobs/refs.csv", "\n".join(lines).encode())
    assert sync(world) == {"added": 1, "suppressed": 1}
    row = references(world)["digits/2.png"]
    assert row["subject_hmac"] == world.keys.digest("subject", "bert")
    assert row["source_hmac"] == world.keys.digest("source", "flickr:17")


def test_a_refused_reference_file_changes_nothing(tmp_path):
    world = world_with(tmp_path, source={"kind": "reference_file", "uri": "s3://media/jobs/refs.csv"})
    put(world, "digits/1.png")
    put(world, "jobs/refs.csv", b"uri\ns3://media/digits/1.png\nhttp://elsewhere/anna.png\n")
    with pytest.raises(InputError, match=r"no s3:// address \(row 2\)") as refused:
        sync(world)
    assert "anna" not in str(refused.value)
    assert world.table("references").read().num_rows == 0
