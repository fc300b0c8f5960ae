"""Erasure on the real S3 and the real Label Studio: an independent scanner finds everything before, nothing after."""

from __future__ import annotations

import logging
import uuid

import pytest

from labelloop.spec import load_spec
from tasks.clients.s3 import connect
from tasks.clients.world import World
from tasks.erasure import carry_out_requests
from tasks.erasure_audit import audit_erasures
from tests.builders.digits import SPEC
from tests.builders.erasure_requests import ask
from tests.builders.labelled_project import N, key_of, labelled_project
from tests.fakes.expectations import ArrowRowRules
from tests.scanner import scan_bucket, scan_folder

pytestmark = pytest.mark.integration
# The subject, what its key decodes to, and what only its media holds.
CANARIES = ["subject-03", "subject-05"]
OTHERS = [f"subject-{number:02d}" for number in range(N) if number not in (3, 5)]


@pytest.fixture
def world(label_studio, tmp_path):
    """A project on buckets of its own, all of which keep versions, so that nothing goes by itself."""
    client, run = connect(label_studio), uuid.uuid4().hex[:8]
    buckets = {kind: f"{kind}-{run}" for kind in ("media", "lake", "vault")}
    for bucket in buckets.values():
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    places = {f"{kind}_uri": f"s3://{buckets[kind]}" for kind in ("lake", "vault")}
    settings = label_studio.model_copy(update={**places, "projects_dir": tmp_path})
    spec = load_spec(SPEC)
    media = spec.media.model_copy(update={"bucket": buckets["media"]})
    made = World(settings, spec.model_copy(update={"media": media, "name": f"digits-{run}"}))
    made.row_rules = ArrowRowRules()
    made.client, made.buckets = client, buckets
    return made


def hits(world, stack, words):
    found = {bucket: scan_bucket(world.client, bucket, words) for bucket in world.buckets.values()}
    folders = {"label studio": stack.root / "label-studio", "logs": stack.root / "logs"}
    return found | {place: scan_folder(folder, words) for place, folder in folders.items()}


def test_the_scanner_finds_every_canary_before_and_none_after(world, stack, caplog):
    caplog.set_level(logging.INFO)
    made = labelled_project(world)
    lake, media = world.buckets["lake"], world.buckets["media"]
    before = hits(world, stack, [*CANARIES, *OTHERS])
    for place in (lake, media, "label studio"):
        assert set(before[place]) == {*CANARIES, *OTHERS}, place

    ask(world, subjects=["subject-03"], object_keys=[key_of(5)])
    assert carry_out_requests(world).counts["done"] == 1

    after = hits(world, stack, [*CANARIES, *OTHERS])
    assert {place: {word: n for word, n in found.items() if word in CANARIES} for place, found in after.items()} == {
        place: {} for place in after
    }
    for place in (lake, media, "label studio"):
        assert set(after[place]) == set(OTHERS), place
    assert not [word for word in [*CANARIES, made.ref_ids[3]] if word in caplog.text]
    assert world.label_studio.task_ids(made.ls_project) == set(made.task_ids) - {made.task_ids[n] for n in (3, 5, N)}
    assert audit_erasures(world).counts["returned"] == 0


def test_siblings_of_an_erased_key_keep_every_version(world):
    bucket = world.buckets["media"]
    siblings = ["digits/k.png", "digits/k.png.json", "digits/k.png2", "digits/k"]
    for key in siblings:
        for version in (b"1", b"2"):
            world.media.write(bucket, key, version, content_type="image/png")
    world.client.delete_object(Bucket=bucket, Key="digits/k.png")
    ask(world, object_keys=["digits/k.png"])
    carry_out_requests(world)
    assert [len(world.media.versions(bucket, key)) for key in siblings] == [0, 2, 2, 2]
