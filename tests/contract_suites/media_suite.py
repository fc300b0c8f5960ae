"""What every MediaStore must do; run against the fake and against the real S3 server.

A subclass gives the fixtures `media` (the store) and `buckets` (make_bucket, delete_plainly, describe,
put_legal_hold).
"""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime

import pytest

from labelloop.errors import ErasedError, InputError
from tasks.clients.media_store import Hold

# A leading slash, `//` and `\` are left out: SeaweedFS rewrites them on arrival.
ODD_KEYS = [
    "a b.png",
    "ü/é.png",
    "e\u0301.png",
    "a#b.png",
    "a%20b.png",
    "a+b.png",
    "line\nbreak.png",
    "tab\t.png",
    "quote'\"&<>.png",
    "日本/漢字.png",
    "a?b=c",
]


def new_bucket(buckets, **kind):
    name = f"media-{uuid.uuid4().hex[:10]}"
    buckets.make_bucket(name, **kind)
    return name


def put(media, bucket, *keys, data=b"x"):
    for key in keys:
        media.write(bucket, key, data, content_type="image/png")


def listed(media, bucket, prefix=""):
    rows = [row for batch in media.list(bucket, prefix) for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: row["key"].encode())


def destroy(media, bucket, key):
    media.delete_versions(bucket, key, [v.version_id for v in media.versions(bucket, key)])


class MediaSuite:
    @pytest.fixture
    def bucket(self, buckets):
        return new_bucket(buckets)

    @pytest.fixture
    def versioned(self, buckets):
        return new_bucket(buckets, versioned=True)

    @pytest.fixture
    def lockable(self, buckets):
        return new_bucket(buckets, lockable=True)

    @pytest.mark.parametrize("kind", ["bucket", "versioned"])
    def test_odd_keys_are_listed_read_and_destroyed_exactly(self, media, kind, request):
        bucket = request.getfixturevalue(kind)
        for key in ODD_KEYS:
            put(media, bucket, key, data=key.encode())
        assert [row["key"] for row in listed(media, bucket)] == sorted(ODD_KEYS, key=str.encode)
        assert all(media.read(bucket, key) == key.encode() for key in ODD_KEYS)
        for key in ODD_KEYS:
            destroy(media, bucket, key)
        assert list(media.keys_ever(bucket)) == []

    def test_a_fingerprint_is_that_of_all_bytes_of_the_version(self, media, bucket, versioned):
        first, second = bytes(3 * 2**20 + 1), b"2"
        for place in (bucket, versioned):
            put(media, place, "k", data=first)
            assert media.fingerprint(place, "k") == (len(first), hashlib.sha256(first).hexdigest())
        put(media, versioned, "k", data=second)
        older = next(v.version_id for v in media.versions(versioned, "k") if not v.is_latest)
        assert media.fingerprint(versioned, "k", version_id=older)[0] == len(first)
        assert media.fingerprint(versioned, "k") == (1, hashlib.sha256(second).hexdigest())
        with pytest.raises(ErasedError):
            media.fingerprint(bucket, "absent")

    @pytest.mark.parametrize("kind", ["bucket", "versioned"])
    def test_folder_markers_and_names_that_end_alike_are_listed_exactly(self, media, kind, request):
        bucket, keys = request.getfixturevalue(kind), ["f", "f-", "f.x", "f/", "f/a", "f/b/", "f/b/c", "f0"]
        if kind == "bucket":
            keys.remove("f")  # SeaweedFS keeps a folder or a file of one name
        put(media, bucket, *(key for key in keys if not key.endswith("/")))
        put(media, bucket, *(key for key in keys if key.endswith("/")), data=b"")
        assert [row["key"] for row in listed(media, bucket)] == sorted(keys)
        assert [row["key"] for row in listed(media, bucket, "f/")] == ["f/", "f/a", "f/b/", "f/b/c"]
        assert [row["key"] for row in listed(media, bucket, "f/b")] == ["f/b/", "f/b/c"]

    def test_what_an_object_is_tagged_with_is_read(self, media, buckets, bucket):
        put(media, bucket, "k", "plain")
        buckets.describe(bucket, "k", tags={"Person": "a b/ü"}, metadata={"Origin": "Flickr:1"})
        assert [media.tags(bucket, "k"), media.metadata(bucket, "k")] == [{"Person": "a b/ü"}, {"origin": "Flickr:1"}]
        assert [media.tags(bucket, "plain"), media.metadata(bucket, "plain")] == [{}, {}]
        for ask in (media.tags, media.metadata):
            with pytest.raises(ErasedError):
                ask(bucket, "never")

    def test_pieces_are_the_whole(self, media, bucket):
        put(media, bucket, "k", data=bytes(range(256)) * 5000)
        assert b"".join(media.pieces(bucket, "k")) == bytes(range(256)) * 5000
        with pytest.raises(ErasedError):
            list(media.pieces(bucket, "never"))

    def test_a_listing_tells_size_and_only_keys_below_the_prefix(self, media, bucket):
        put(media, bucket, "p/a", "p/b", "q/a", data=b"123")
        assert [(row["key"], row["size"]) for row in listed(media, bucket, "p/")] == [("p/a", 3), ("p/b", 3)]

    def test_only_a_versioned_bucket_gives_version_ids(self, media, bucket, versioned):
        put(media, bucket, "k")
        put(media, versioned, "k")
        assert [media.keeps_versions(bucket), media.keeps_versions(versioned)] == [False, True]
        assert listed(media, bucket)[0]["version_id"] is None
        assert listed(media, versioned)[0]["version_id"] == media.versions(versioned, "k")[0].version_id

    def test_a_new_version_changes_the_version_id_and_the_etag(self, media, versioned):
        put(media, versioned, "k", data=b"1")
        before = listed(media, versioned)[0]
        put(media, versioned, "k", data=b"2")
        after = listed(media, versioned)[0]
        assert before["version_id"] != after["version_id"]
        assert before["etag"] != after["etag"]
        assert media.read(versioned, "k", version_id=before["version_id"]) == b"1"

    def test_a_deleted_object_is_not_listed_but_its_key_is_known(self, media, buckets, versioned):
        put(media, versioned, "k", data=b"1")
        buckets.delete_plainly(versioned, "k")
        assert listed(media, versioned) == []
        assert list(media.keys_ever(versioned)) == ["k"]
        assert sorted(v.is_delete_marker for v in media.versions(versioned, "k")) == [False, True]
        with pytest.raises(ErasedError):
            media.read(versioned, "k")

    def test_versions_are_those_of_the_exact_key(self, media, versioned):
        put(media, versioned, "k", "k.json", "k2")
        put(media, versioned, "k")
        assert len(media.versions(versioned, "k")) == 2
        destroy(media, versioned, "k")
        assert [row["key"] for row in listed(media, versioned)] == ["k.json", "k2"]

    @pytest.mark.parametrize("kind", ["bucket", "versioned"])
    def test_destroying_twice_is_the_same_as_once(self, media, kind, request):
        bucket = request.getfixturevalue(kind)
        put(media, bucket, "k")
        gone = [v.version_id for v in media.versions(bucket, "k")]
        media.delete_versions(bucket, "k", gone)
        media.delete_versions(bucket, "k", gone)
        assert list(media.versions(bucket, "k")) == []

    @pytest.mark.parametrize("kind", ["bucket", "versioned"])
    def test_unfinished_uploads_are_listed_by_prefix_and_aborted_one_by_one(self, media, buckets, kind, request):
        bucket = request.getfixturevalue(kind)
        for key in ("p/k", "p/k.json", "q/k"):
            buckets.begin_upload(bucket, key)
        found = media.uploads(bucket, "p/k")
        assert sorted(upload.key for upload in found) == ["p/k", "p/k.json"]
        assert list(media.keys_ever(bucket)) == []
        mine = next(upload for upload in found if upload.key == "p/k")
        media.delete_upload(bucket, mine)
        media.delete_upload(bucket, mine)
        assert sorted(upload.key for upload in media.uploads(bucket)) == ["p/k.json", "q/k"]

    def test_a_bucket_that_is_not_copied_has_no_replication_target(self, media, versioned):
        assert media.replication_targets(versioned) == frozenset()

    def test_a_legal_hold_is_seen_and_keeps_the_version(self, media, buckets, lockable):
        put(media, lockable, "k")
        version = media.versions(lockable, "k")[0].version_id
        assert media.hold(lockable, "k", version) is None
        buckets.put_legal_hold(lockable, "k", version, on=True)
        assert media.hold(lockable, "k", version).mode == "legal hold"
        media.delete_versions(lockable, "k", [version])
        assert len(media.versions(lockable, "k")) == 1
        buckets.put_legal_hold(lockable, "k", version, on=False)
        destroy(media, lockable, "k")
        assert list(media.versions(lockable, "k")) == []

    @pytest.mark.parametrize("mode", ["governance", "compliance"])
    def test_a_retention_is_seen_with_its_date_and_keeps_the_version(self, media, buckets, lockable, mode):
        put(media, lockable, "k")
        version, until = media.versions(lockable, "k")[0].version_id, datetime(2099, 1, 1, tzinfo=UTC)
        buckets.put_retention(lockable, "k", version, mode, until)
        assert media.hold(lockable, "k", version) == Hold(mode, until)
        media.delete_versions(lockable, "k", [version])
        assert len(media.versions(lockable, "k")) == 1

    def test_a_bucket_without_locks_holds_nothing(self, media, versioned):
        put(media, versioned, "k")
        assert media.hold(versioned, "k", media.versions(versioned, "k")[0].version_id) is None

    def test_many_objects_come_in_order_without_the_ones_that_are_gone(self, media, bucket):
        keys = [f"k{i:02d}" for i in range(40)]
        for key in keys:
            put(media, bucket, key, data=key.encode())
        destroy(media, bucket, "k07")
        wanted = [*reversed(keys), "never"]
        assert list(media.read_many(bucket, wanted, threads=4)) == [
            (key, key.encode()) for key in wanted if key not in ("k07", "never")
        ]

    def test_reading_can_stop_early(self, media, bucket):
        put(media, bucket, "k", data=b"abcdef")
        assert media.read(bucket, "k", limit=3) == b"abc"
        assert list(media.read_many(bucket, ["k"], limit=3)) == [("k", b"abc")]

    def test_reading_the_head_of_an_empty_object_gives_nothing(self, media, bucket):
        put(media, bucket, "k", data=b"")
        assert media.read(bucket, "k", limit=3) == b""

    def test_an_absent_bucket_is_named_as_bad_input(self, media):
        with pytest.raises(InputError, match="bucket does not exist"):
            listed(media, f"absent-{uuid.uuid4().hex[:10]}")
