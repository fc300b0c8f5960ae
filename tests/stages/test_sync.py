"""Sync: what is new, changed, missing, refused or must not come back."""

from __future__ import annotations

import json

import pytest

from labelloop.erasure.request import Identifiers
from labelloop.erasure.suppression import suppression_rows
from labelloop.errors import DecisionNeeded, InputError, SuppressionKeyError, UnavailableError
from labelloop.identity import KeyRing
from labelloop.spec import ProjectSpec
from tasks.clients.quarantine import payloads
from tasks.erasure.reach import reach_of
from tasks.suppression import suppressions_in_force
from tasks.sync import sync_references
from tests.fakes.world import lease_of, make_world, under_lease

PNG = b"\x89PNG\r\n\x1a\n"
SUBJECTS = [f"digits/{n:02d}/x.png" for n in range(10)]


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def put(world, *keys, data=PNG):
    for key in keys:
        world.media.write("media", key, data, content_type="image/png")


def sync(world, **options):
    counts = under_lease(world, "sync", sync_references, **options).counts
    return {kind: count for kind, count in counts.items() if count}


def references(world):
    return {row["key"]: row for row in world.table("references").read().to_pylist()}


def with_media(world, **changes):
    media = world.spec.media.model_copy(update=changes)
    world.spec = ProjectSpec.model_validate(world.spec.model_copy(update={"media": media}).model_dump())
    return world


def suppress(world, **identifiers):
    suppressions_in_force(world)
    wanted = Identifiers(verification="seen", **identifiers)
    rows = suppression_rows(wanted, "media", world.keys, request_id="0" * 32, now=world.now())
    world.table("suppressions").upsert(rows, fence=lambda: None)


def test_new_objects_become_references_with_pseudonymous_subjects(world):
    put(world, *SUBJECTS)
    assert sync(world) == {"added": 10}
    row = references(world)["digits/03/x.png"]
    assert row["subject_hmac"] == world.keys.digest("subject", "03")
    assert row["media_version"] == world.media.versions("media", "digits/03/x.png")[0].version_id
    assert (row["media_type"], row["state"], row["first_seen"]) == ("image/png", "active", world.now())


def test_a_second_sync_changes_nothing_and_commits_nothing(world):
    put(world, *SUBJECTS)
    sync(world)
    before = world.table("references").version()
    world.now.advance(hours=1)
    assert sync(world) == {"unchanged": 10}
    assert world.table("references").version() == before


def test_changed_media_keeps_its_reference_and_gets_a_new_media_version(world):
    put(world, *SUBJECTS)
    sync(world)
    before = references(world)[SUBJECTS[0]]
    put(world, SUBJECTS[0], data=PNG + b"2")
    world.now.advance(hours=1)
    assert sync(world) == {"changed": 1, "unchanged": 9}
    after = references(world)[SUBJECTS[0]]
    assert (after["ref_id"], after["first_seen"]) == (before["ref_id"], before["first_seen"])
    assert after["media_version"] != before["media_version"]
    assert after["changed_at"] == world.now()


def test_an_unversioned_bucket_gives_etag_and_size_as_media_version(tmp_path):
    world = make_world(tmp_path)
    world.media.make_bucket("media", versioned=False)
    put(world, *SUBJECTS)
    sync(world)
    row = references(world)[SUBJECTS[0]]
    assert row["media_version"] == f"{row['etag']}-{len(PNG)}"


def test_a_deleted_object_is_missing_and_comes_back_as_the_same_reference(world):
    put(world, *SUBJECTS)
    sync(world)
    before = references(world)[SUBJECTS[0]]
    world.media.delete_plainly("media", SUBJECTS[0])
    assert sync(world) == {"missing": 1, "unchanged": 9}
    assert references(world)[SUBJECTS[0]]["state"] == "missing"
    put(world, SUBJECTS[0])
    assert sync(world) == {"reappeared": 1, "unchanged": 9}
    after = references(world)[SUBJECTS[0]]
    assert (after["ref_id"], after["state"]) == (before["ref_id"], "active")


def test_more_missing_than_the_limit_stops_before_any_change(world):
    put(world, *SUBJECTS)
    sync(world)
    for key in SUBJECTS[:3]:
        world.media.delete_plainly("media", key)
    with pytest.raises(DecisionNeeded, match="3 of 10 known objects are missing"):
        sync(world)
    assert {row["state"] for row in references(world).values()} == {"active"}
    assert sync(world, accept_missing=True) == {"missing": 3, "unchanged": 7}


def test_exactly_the_limit_is_not_above_it(world):
    put(world, *SUBJECTS)
    sync(world)
    for key in SUBJECTS[:2]:
        world.media.delete_plainly("media", key)
    assert sync(world) == {"missing": 2, "unchanged": 8}


@pytest.mark.parametrize("problem", ["bucket", "empty", "prefix"])
def test_a_bucket_that_gives_nothing_is_named(world, problem):
    if problem == "bucket":
        world = with_media(world, bucket="absent")
    if problem == "prefix":
        put(world, "elsewhere/1.png")
    with pytest.raises(InputError) as refused:
        sync(world)
    assert refused.value.remedy


def test_a_bucket_of_other_things_is_named(world):
    put(world, "digits/readme.txt")
    with pytest.raises(InputError, match="none of the 1 objects"):
        sync(world)


@pytest.mark.parametrize(
    "name",
    ["a b.png", "ü.png", "e\u0301.png", "a#b.png", "a%20b.png", "a+b?.png", "'\"&<>.png", "日本.png", "/lead.png"],
)
def test_odd_keys_are_kept_exactly(world, name):
    put(world, f"digits/{name}")
    assert sync(world) == {"added": 1}
    assert list(references(world)) == [f"digits/{name}"]


@pytest.mark.parametrize(
    ("key", "data", "reason"),
    [
        ("digits/1/line\nbreak.png", PNG, "control characters"),
        ("digits/../x.png", PNG, "control characters or a path segment of dots"),
        ("digits/1/empty.png", b"", "no bytes"),
        ("digits/1/large.png", PNG + bytes(100), "larger than media.max_bytes"),
        ("digits/1/text.png", b"not an image", "content is not the media"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason_and_kept_sealed(world, key, data, reason):
    world = with_media(world, max_bytes=50)
    put(world, "digits/1/good.png")
    put(world, key, data=data)
    assert sync(world) == {"added": 1, "refused": 1}
    rows = world.table("quarantine").read().to_pylist()
    assert [reason in row["rule"] for row in rows] == [True]
    assert key.encode() not in rows[0]["payload"]
    assert [payload["key"] for _, payload in payloads(world)] == [key]


def test_a_refused_object_is_kept_in_quarantine_once(world):
    put(world, "digits/1/good.png")
    put(world, "digits/1/empty.png", data=b"")
    sync(world)
    before = world.table("quarantine").version()
    assert sync(world) == {"refused": 1, "unchanged": 1}
    assert world.table("quarantine").version() == before


def test_good_media_replaced_by_rubbish_counts_as_missing(world):
    put(world, *SUBJECTS)
    sync(world)
    put(world, SUBJECTS[0], data=b"no image")
    assert sync(world) == {"missing": 1, "refused": 1, "unchanged": 9}


def test_globs_and_endings_leave_other_objects_out(world):
    world = with_media(world, include=("*/a/*", "*.png"), exclude=("*thumb*",))
    put(world, "digits/1/a.png", "digits/1/thumb.png", "digits/1/a/b.jpg", "digits/1/notes.json", "digits/1/x.jpg")
    put(world, "digits/1/folder/", data=b"")
    sync(world)
    assert sorted(references(world)) == ["digits/1/a.png", "digits/1/a/b.jpg"]


def test_a_reference_of_another_source_is_left_alone(world):
    put(world, *SUBJECTS)
    sync(world)
    put(world, "other/1.png")
    world = with_media(world, prefix="other/")
    assert sync(world) == {"added": 1}
    assert {row["state"] for row in references(world).values()} == {"active"}


@pytest.mark.parametrize(
    "named",
    [
        {"object_keys": ["digits/03/x.png"]},
        {"prefixes": ["digits/03/"]},
        {"subjects": ["03"]},
        {"subjects": [" 03 "]},
    ],
)
def test_a_suppressed_object_is_never_admitted(world, named):
    suppress(world, **named)
    put(world, *SUBJECTS)
    assert sync(world) == {"added": 9, "suppressed": 1}
    assert "digits/03/x.png" not in references(world)
    assert world.table("quarantine").read().num_rows == 0


def test_only_the_exact_key_is_suppressed(world):
    suppress(world, object_keys=["digits/k.png"])
    put(world, "digits/k.png", "digits/k.png.png", "digits/k.PNG", "digits/k.png2.png")
    assert sync(with_media(world, include=("*",)))["suppressed"] == 1
    assert len(references(world)) == 3


def test_a_restricted_reference_is_not_touched(world):
    put(world, *SUBJECTS)
    sync(world)
    rows = world.table("references").read().to_pylist()
    rows[0]["state"] = "restricted"
    table = world.table("references")
    table.upsert(table.read().from_pylist(rows[:1], schema=table.contract.schema), fence=lambda: None)
    put(world, rows[0]["key"], data=PNG + b"2")
    assert sync(world) == {"unchanged": 10}
    assert references(world)[rows[0]["key"]]["state"] == "restricted"


def test_a_wrong_suppression_key_stops_the_run(world):
    put(world, *SUBJECTS)
    sync(world)
    world.keys = KeyRing({"k1": b"another key of thirty-two bytes!"}, current="k1")
    with pytest.raises(SuppressionKeyError, match="not the key that was used: k1"):
        sync(world)


def test_lost_check_values_stop_the_run(world):
    put(world, *SUBJECTS)
    sync(world)
    world.hot.delete("suppression-keys.json")
    with pytest.raises(SuppressionKeyError, match="without check value"):
        sync(world)


def test_a_new_key_still_honours_what_the_old_one_suppressed(world):
    suppress(world, subjects=["03"])
    put(world, *SUBJECTS[:3])
    sync(world)
    world.keys = KeyRing({"k1": bytes(range(32)), "k2": b"x" * 32}, current="k2")
    put(world, *SUBJECTS[3:])
    assert sync(world) == {"added": 6, "suppressed": 1, "unchanged": 3}
    assert references(world)["digits/05/x.png"]["hmac_key_id"] == "k2"


def test_an_object_that_vanishes_during_the_run_waits_for_the_next(world):
    put(world, *SUBJECTS)

    class Vanishing(type(world.media)):
        def read_many(self, bucket, keys, **options):
            return super().read_many(bucket, [k for k in keys if k != SUBJECTS[0]], **options)

    world.media.__class__ = Vanishing
    assert sync(world) == {"added": 9}


def test_the_summary_and_the_clear_columns_hold_no_subject(world):
    put(world, *SUBJECTS)
    summary = sync_references(world, lease_of(world, "sync"))
    assert "03" not in json.dumps(summary.model_dump())
    row = references(world)["digits/03/x.png"]
    assert "03" not in {row["subject_hmac"], row["ref_id"]}


def test_ids_are_minted_in_the_order_of_the_keys(tmp_path):
    worlds = [make_world(tmp_path / name) for name in "ab"]
    for world, keys in zip(worlds, (SUBJECTS, SUBJECTS[::-1]), strict=True):
        put(world, *keys)
        sync(world)
    first, second = (
        [row["ref_id"] for row in sorted(references(w).values(), key=lambda r: r["key"])] for w in worlds
    )
    assert first == second


def move(world, old, new):
    put(world, new, data=world.media.read("media", old))
    world.media.delete_plainly("media", old)


def unversioned(tmp_path, **media):
    world = with_media(make_world(tmp_path), **media)
    world.media.make_bucket("media", versioned=False)
    return world


def test_a_moved_object_stays_the_same_reference_and_media_version(world):
    put(world, *SUBJECTS)
    put(world, "digits/00/y.png", data=PNG + b"y")
    sync(world)
    before = references(world)["digits/00/y.png"]
    move(world, "digits/00/y.png", "digits/00/z.png")
    assert sync(world) == {"moved": 1, "unchanged": 10}
    after = references(world)["digits/00/z.png"]
    assert (after["ref_id"], after["media_version"]) == (before["ref_id"], before["media_version"])
    assert (after["former_keys"], after["state"]) == (["digits/00/y.png"], "active")
    assert sync(world) == {"unchanged": 11}
    put(world, "digits/00/z.png", data=PNG + b"!")
    assert sync(world) == {"changed": 1, "unchanged": 10}


def test_a_move_is_recognised_after_a_sync_that_saw_only_its_first_half(world):
    put(world, *SUBJECTS)
    sync(world)
    world.media.delete_plainly("media", SUBJECTS[0])
    assert sync(world) == {"missing": 1, "unchanged": 9}
    put(world, "digits/00/z.png")
    assert sync(world) == {"moved": 1, "unchanged": 9}


@pytest.mark.parametrize(
    ("new", "data"),
    [("digits/00/z.png", PNG + b"z"), ("digits/01/z.png", PNG + b"y"), ("digits/00/z.png", PNG + b"yy")],
)
def test_other_bytes_or_another_subject_are_another_reference(world, new, data):
    put(world, *SUBJECTS)
    put(world, "digits/00/y.png", data=PNG + b"y")
    sync(world)
    world.media.delete_plainly("media", "digits/00/y.png")
    put(world, new, data=data)
    assert sync(world) == {"added": 1, "missing": 1, "unchanged": 10}


def test_a_bucket_without_versions_tells_moves_only_where_digests_are_kept(tmp_path):
    for digests, told in ((True, {"moved": 1, "unchanged": 9}), (False, {"added": 1, "missing": 1, "unchanged": 9})):
        world = unversioned(tmp_path / str(digests), content_digests=digests)
        put(world, *SUBJECTS)
        sync(world)
        assert {bool(row["content_hmac"]) for row in references(world).values()} == {digests}
        move(world, SUBJECTS[0], "digits/00/z.png")
        assert sync(world) == told


def test_a_digest_is_compared_under_the_key_that_made_it(tmp_path):
    world = unversioned(tmp_path, content_digests=True, subject_id=None)
    put(world, *SUBJECTS)
    sync(world)
    world.keys = KeyRing({"k1": bytes(range(32)), "k2": b"x" * 32}, current="k2")
    move(world, SUBJECTS[0], "digits/00/z.png")
    assert sync(world) == {"moved": 1, "unchanged": 9}


def test_a_whole_folder_may_move(world):
    keys = [f"digits/old/{n}.png" for n in range(10)]
    for n, key in enumerate(keys):
        put(world, key, data=PNG + bytes([n]))
    world = with_media(world, subject_id=None)
    sync(world)
    for key in keys:
        move(world, key, key.replace("old", "new"))
    assert sync(world) == {"moved": 10}


def test_a_folder_of_other_bytes_is_no_move_and_stops_the_run(world):
    """The same sizes and entity tags are a hint only: here the bytes of the gone objects are destroyed."""
    keys = [f"digits/old/{n}.png" for n in range(10)]
    put(world, *keys)
    world = with_media(world, subject_id=None)
    sync(world)
    for key in keys:
        world.media.delete_versions("media", key, [v.version_id for v in world.media.versions("media", key)])
        put(world, key.replace("old", "new"))
    with pytest.raises(DecisionNeeded, match="10 of 10 known objects are missing"):
        sync(world)
    assert sorted(references(world)) == keys


def test_a_listing_that_fails_half_way_changes_nothing(world):
    put(world, *SUBJECTS)
    sync(world)
    version, entire = world.table("references").version(), world.media.list

    def failing(*given):
        yield next(entire(*given)).slice(0, 9)
        raise UnavailableError("S3 did not answer")

    world.media.list = failing
    with pytest.raises(UnavailableError, match="S3 did not answer"):
        sync(world)
    assert world.table("references").version() == version


def test_a_prefix_that_vanished_stops_the_run(world):
    put(world, *SUBJECTS)
    sync(world)
    for key in SUBJECTS:
        world.media.delete_plainly("media", key)
    with pytest.raises(DecisionNeeded, match="10 of 10"):
        sync(world)
    assert {row["state"] for row in references(world).values()} == {"active"}


def test_media_that_turned_into_rubbish_all_at_once_stops_the_run(world):
    world = with_media(world, changed_share_limit=1)
    put(world, *SUBJECTS)
    sync(world)
    put(world, *SUBJECTS, data=b"no image")
    with pytest.raises(DecisionNeeded, match="10 of 10 known objects are missing"):
        sync(world)


def test_more_changed_than_the_limit_stops_before_any_object_is_read(world):
    put(world, *SUBJECTS)
    sync(world)
    put(world, *SUBJECTS[:6], data=PNG + b"2")
    world.media.read_many = None
    with pytest.raises(DecisionNeeded, match="6 of 10 known objects hold other bytes"):
        sync(world)
    del world.media.read_many
    assert sync(world, accept_changed=True) == {"changed": 6, "unchanged": 4}


def test_the_same_bytes_written_again_after_versioning_was_turned_on_are_unchanged(tmp_path):
    world = unversioned(tmp_path)
    put(world, *SUBJECTS)
    sync(world)
    before, version = references(world), world.table("references").version()
    world.media.make_bucket("media", versioned=True)
    put(world, *SUBJECTS)
    assert sync(world) == {"unchanged": 10}
    assert world.table("references").version() == version
    put(world, SUBJECTS[0], data=PNG + b"2")
    assert sync(world) == {"changed": 1, "unchanged": 9}
    assert references(world)[SUBJECTS[0]]["media_version"] != before[SUBJECTS[0]]["media_version"]


@pytest.mark.parametrize(
    "named", [{"subjects": ["00"]}, {"object_keys": ["digits/00/y.png"]}, {"prefixes": ["digits/00/"]}]
)
def test_an_erasure_reaches_the_versions_a_moved_object_left_behind(world, named):
    put(world, *SUBJECTS[1:])
    put(world, "digits/00/y.png", data=PNG + b"y")
    sync(world)
    move(world, "digits/00/y.png", "digits/00/z.png")
    sync(world)
    reach = reach_of([world], Identifiers(verification="seen", **named), "media")
    assert reach.objects == (("media", "digits/00/y.png"), ("media", "digits/00/z.png"))
    assert reach.ref_ids == (references(world)["digits/00/z.png"]["ref_id"],)


def test_a_former_key_that_somebody_else_has_now_is_not_erased(world):
    world = with_media(world, subject_id=None)
    put(world, *SUBJECTS)
    put(world, "digits/y.png", data=PNG + b"y")
    sync(world)
    move(world, "digits/y.png", "digits/z.png")
    sync(world)
    put(world, "digits/y.png", data=PNG + b"another person")
    sync(world)
    reach = reach_of([world], Identifiers(verification="seen", object_keys=["digits/z.png"]), "media")
    assert reach.objects == (("media", "digits/z.png"),)


def test_many_new_objects_are_streamed_into_one_commit_beside_the_changed(world, monkeypatch):
    monkeypatch.setattr("tasks.sync._TOGETHER", 3)
    monkeypatch.setattr("labelloop.sync._BATCH", 2)
    put(world, SUBJECTS[0])
    assert sync(world) == {"added": 1}
    before = world.table("references").version()
    put(world, *SUBJECTS[1:5])
    assert sync(world) == {"added": 4, "unchanged": 1}
    assert world.table("references").version() == before + 1
    put(world, SUBJECTS[0], data=PNG + b"2")
    put(world, *SUBJECTS[5:])
    assert sync(world) == {"added": 5, "changed": 1, "unchanged": 4}
    assert sorted(references(world)) == SUBJECTS
    assert len({row["ref_id"] for row in references(world).values()}) == 10


def test_a_streamed_row_that_breaks_its_contract_is_refused_and_the_others_come_in(world, monkeypatch):
    monkeypatch.setattr("tasks.sync._TOGETHER", 3)
    put(world, *SUBJECTS)
    ids = iter(["no id", *(f"{n:032x}" for n in range(9))])
    world.new_id = lambda: next(ids)
    assert sync(world) == {"added": 10, "refused": 1}
    assert sorted(references(world)) == SUBJECTS[1:]
