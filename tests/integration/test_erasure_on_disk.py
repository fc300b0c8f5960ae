"""The disk of the S3 server itself: what S3 calls deleted lies there until whoever runs the server compacts it."""

from __future__ import annotations

import uuid

import pytest

from tasks.clients.lake import Lake
from tasks.clients.media import S3MediaStore
from tasks.clients.s3 import connect, storage_options
from tests.builders.rows import hex_id, rows_of
from tests.builders.seaweedfs_shell import Shell
from tests.scanner import words_in

pytestmark = pytest.mark.integration

ERASED, STAYING = ("canary-media-7d1c", "canary-row-7d1c"), ("other-media-7d1c", "other-row-7d1c")
VACUUMS = 60


def free():
    """A fence that lets everything pass."""


@pytest.fixture
def bucket(s3):
    name = f"disk-{uuid.uuid4().hex[:8]}"
    client = connect(s3)
    client.create_bucket(Bucket=name)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def on_disk(stack, bucket):
    """Which of the words are in the volumes of the bucket, looked through by the scanner."""
    volumes = (stack.root / "s3").glob(f"{bucket}_*.dat")
    return set().union(*(words_in(volume.read_bytes(), [*ERASED, *STAYING]) for volume in volumes))


def destroy(store, bucket, key):
    store.delete_versions(bucket, key, [version.version_id for version in store.versions(bucket, key)])


def test_what_is_erased_leaves_the_servers_disk_once_its_volumes_are_vacuumed(s3, stack, bucket, record_property):
    store = S3MediaStore(connect(s3))
    rows = Lake(f"s3://{bucket}/lake", storage_options(s3)).table("references")
    for key, word in (("k", ERASED[0]), ("k2", STAYING[0])):
        for version in range(3):
            store.write(bucket, key, f"{version} {word}".encode(), content_type="text/plain")
    rows.upsert(rows_of("references", [{"key": word} for word in (ERASED[1], STAYING[1])]), fence=free)
    destroy(store, bucket, "k")
    rows.delete("ref_id", [hex_id(0)], fence=free)
    rows.purge(fence=free)
    for key in list(store.keys_ever(bucket, "lake/")):
        newest = [version.version_id for version in store.versions(bucket, key) if version.is_latest]
        old = [v.version_id for v in store.versions(bucket, key) if v.version_id not in newest or v.is_delete_marker]
        store.delete_versions(bucket, key, old)
    kept = on_disk(stack, bucket)
    assert kept == {*ERASED, *STAYING}
    for _ in range(VACUUMS):  # the server takes a moment to mark what is deleted
        Shell(stack.root).run("lock", "volume.vacuum -garbageThreshold=0", "unlock", seconds=120)
        left = on_disk(stack, bucket)
        if left == set(STAYING):
            break
    assert left == set(STAYING)
    told = f"{len(ERASED)}/{len(ERASED)} canaries after the erasure, 0 once its volumes are vacuumed"
    record_property("figure", f"disk of the S3 server: {told}")
