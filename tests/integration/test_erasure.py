"""Erasure on the real servers: a scanner that shares no code with the eraser finds all before it and nothing after.

The erasure runs as a flow, so that Prefect's database and logs are among the places looked through.
"""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

import pytest
from prefect import flow
from prefect.artifacts import create_markdown_artifact
from prefect.logging.handlers import APILogWorker

from flows.single_stages import erase
from labelloop.spec import load_spec
from tasks.clients.s3 import connect, storage_options
from tasks.clients.world import World
from tasks.erasure.audit import audit_erasures
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.replay import replay_suppressions
from tests.builders.digits import SPEC
from tests.builders.erasure_requests import ask
from tests.builders.labelled_project import N, key_of, labelled_project
from tests.fakes.expectations import ArrowRowRules
from tests.scanner import raw_words_in, scan_bucket, scan_folder, words_in
from tests.scanner.rows import rows_of_tables, schemas_of_tables, tables_in, versions_in

pytestmark = pytest.mark.integration
# The subject, and what its key alone names.
CANARIES = ["subject-03", "subject-05"]
OTHERS = [f"subject-{number:02d}" for number in range(N) if number not in (3, 5)]
CONTROL = OTHERS[0]
# Tables whose other rows an erasure changes too: the set is rewritten, the model flagged, the proof added.
REWRITTEN = ("datasets", "models", "suppressions", "receipts")


@pytest.fixture
def world(label_studio, stack, tmp_path, monkeypatch):
    """A project on buckets of its own, all of which keep versions, so that nothing goes by itself."""
    client, run = connect(label_studio), uuid.uuid4().hex[:8]
    buckets = {kind: f"{kind}-{run}" for kind in ("media", "lake", "vault")}
    for bucket in buckets.values():
        client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    text = SPEC.replace("name: digits", f"name: digits-{run}").replace("bucket: media", f"bucket: {buckets['media']}")
    (tmp_path / f"digits-{run}.yaml").write_text(text, encoding="utf-8")
    places = {f"{kind}_uri": f"s3://{buckets[kind]}" for kind in ("lake", "vault")}
    for name, value in {**stack.variables, **{f"LABELLOOP_{k.upper()}": v for k, v in places.items()}}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LABELLOOP_PROJECTS_DIR", str(tmp_path))
    made = World(label_studio.model_copy(update={**places, "projects_dir": tmp_path}), load_spec(text))
    made.row_rules = ArrowRowRules()
    made.client, made.buckets = client, buckets
    return made


def hits(world, stack, *, look=words_in):
    """How often each name is found, by place: every bucket, and what the servers keep on disk but the S3 server."""
    words = [*CANARIES, *OTHERS]
    found = {kind: scan_bucket(world.client, bucket, words, look=look) for kind, bucket in world.buckets.items()}
    folders = [folder for folder in stack.root.iterdir() if folder.is_dir() and folder.name != "s3"]
    return found | {folder.name: scan_folder(folder, words, look=look) for folder in folders}


def canaries(found):
    return {place: {word: n for word, n in words.items() if word in CANARIES} for place, words in found.items()}


def lake_of(world):
    """Rows and schemas of every table, by its path, and the versions of all media."""
    tables, options = tables_in(world.client, world.buckets["lake"]), storage_options(world.settings)
    media = versions_in(world.client, world.buckets["media"])
    return rows_of_tables(tables, options), schemas_of_tables(tables, options), media


def plant_controls(stack):
    """Leave a name that stays where none of the pipeline's belongs: had one got there, it would be found as well."""

    @flow(name="scanner-control")
    def leave_a_name():
        create_markdown_artifact(f"control {CONTROL}", key="scanner-control")

    leave_a_name()
    (stack.root / "logs" / "control.log").write_text(f"control {CONTROL}\n", encoding="utf-8")


def test_the_scanner_finds_every_canary_before_and_none_after(world, stack, prefect, record_property):
    made = labelled_project(world)
    plant_controls(stack)
    before, raw = hits(world, stack), hits(world, stack, look=raw_words_in)
    for place in ("lake", "media", "label-studio"):
        assert set(before[place]) == {*CANARIES, *OTHERS}, place
    rows, schemas, media = lake_of(world)

    ask(world, subjects=["subject-03"], object_keys=[key_of(5)])
    erase(world.project)
    APILogWorker.drain_all(timeout=60)  # it tells the server some seconds later

    after = hits(world, stack)
    assert canaries(after) == {place: {} for place in after}
    for place in ("lake", "media", "label-studio"):
        assert set(after[place]) == set(OTHERS), place
    assert all(after[place][CONTROL] for place in ("prefect", "logs"))
    assert audit_erasures(world).counts["returned"] == 0
    names = [*(made.ref_ids[n] for n in (3, 5)), *(made.unit_ids[n] for n in (3, 5, N))]
    nothing_else_changed(world, (rows, schemas, media), names)
    told = {place: sum(words.values()) for place, words in canaries(before).items() if words}
    seen = {place: sum(words.values()) for place, words in canaries(raw).items() if place in told}
    record_property("figure", f"erasure: {len(CANARIES)}/{len(CANARIES)} canaries before in {told}, 0 after")
    record_property("figure", f"erasure: a scan of raw bytes alone sees {seen} of {told}")
    assert seen["lake"] < told["lake"]


def nothing_else_changed(world, before, names):
    """A1 = A0 - B0: what is left is what was there without the rows and objects of the erased; no schema changed."""
    rows, schemas, media = lake_of(world)
    for table, found in before[0].items():
        if table.rpartition("/")[2] not in REWRITTEN:
            kept = {row for row in found if not any(name in row for name in names)}
            assert rows[table] <= kept, table
            # Refused rows are sealed: one of the two was about the subject, which its text does not show.
            assert len(kept) - len(rows[table]) == (1 if table.endswith("/quarantine") else 0), table
    assert {table: schema for table, schema in schemas.items() if table in before[1]} == before[1]
    assert media == {version for version in before[2] if not any(word in version for word in CANARIES)}


def test_siblings_of_an_erased_key_keep_every_version(world):
    bucket = world.buckets["media"]
    siblings = ["digits/k.png", "digits/k.png.json", "digits/k.png2", "digits/k"]
    for key in siblings:
        for version in (b"1", b"2"):
            world.media.write(bucket, key, version, content_type="image/png")
    world.client.delete_object(Bucket=bucket, Key="digits/k.png")
    before = versions_in(world.client, bucket, ["digits/k.png"])
    ask(world, object_keys=["digits/k.png"])
    carry_out_requests(world)
    assert [len(world.media.versions(bucket, key)) for key in siblings] == [0, 2, 2, 2]
    assert versions_in(world.client, bucket) == before


def test_backups_of_lake_and_label_studio_are_replayed_away(world, stack, record_property):
    labelled_project(world)
    lake, database = world.buckets["lake"], stack.root / "label-studio" / "label_studio.sqlite3"
    objects, copied = objects_of(world.client, lake), sqlite3.connect(":memory:")
    with closing(sqlite3.connect(database)) as live:
        live.backup(copied)
    ask(world, subjects=["subject-03"], object_keys=[key_of(5)])
    carry_out_requests(world)

    put_back(world.client, lake, objects)
    del world.lake  # a backup is put back while nothing runs, and each run opens its tables anew
    with closing(sqlite3.connect(database)) as live:
        copied.backup(live)
    back = canaries(hits(world, stack))  # the control: without replay everything is there
    assert set(back["lake"]) == set(back["label-studio"]) == set(CANARIES)

    replay_suppressions(world)
    after = canaries(hits(world, stack))
    assert after == {place: {} for place in after}
    told = {place: len(words) for place, words in back.items() if words}
    record_property("figure", f"real restore: {told} of {len(CANARIES)} back, 0 after the replay")


def objects_of(client, bucket):
    """The bytes of every present object, as a copy of the bucket has them."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def put_back(client, bucket, objects):
    """Make the bucket what the copy says."""
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            client.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
    for key, data in objects.items():
        client.put_object(Bucket=bucket, Key=key, Body=data)
