"""The restore drill: a backup brings erased data back; replaying suppressions, which none takes back, ends it."""

from __future__ import annotations

import copy
import json

import pytest

from labelloop.erasure.decisions import officer
from labelloop.erasure.receipt_chain import verify_chain
from labelloop.errors import DecisionNeeded
from tasks.clients.receipt_keys import genuine, published
from tasks.clients.receipts import receipts
from tasks.erasure.audit import audit_erasures
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.lift import lift_requests
from tasks.erasure.replay import replay_suppressions
from tests.builders.erasure_requests import ask, erasable_project
from tests.builders.labelled_project import PNG, N, key_of
from tests.fakes.world import copy_of
from tests.scanner import scan_folder, words_in

ERASED = (1, 3, 5)  # by key, by subject, by prefix
WORDS = [f"subject-{number:02d}" for number in ERASED]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return erasable_project(tmp_path_factory.mktemp("template"), on_disk=True)


@pytest.fixture
def before(template, tmp_path):
    """The world as the backups have it."""
    return copy_of(template, tmp_path / "before")


@pytest.fixture
def world(before, tmp_path):
    """The world after the erasure."""
    erased = copy_of(before, tmp_path / "now")
    ask(erased, subjects=["subject-03"], object_keys=[key_of(1)], prefixes=["digits/subject-05/"])
    carry_out_requests(erased)
    return erased


def restored(world, before, folder, *places):
    """Put the backups of these places in, and leave the rest as it is; the vault is never restored."""
    made = copy_of(before if "lake" in places else world, folder)
    made.label_studio = copy.deepcopy((before if "label_studio" in places else world).label_studio)
    made.media = copy.deepcopy(world.media)
    if "lake" in places:  # published files lie in the lake's bucket
        made.media.buckets["lake"] = copy.deepcopy(before.media.buckets["lake"])
    if "media" in places:
        made.media.buckets["media"] = copy.deepcopy(before.media.buckets["media"])
    made.vault, made.new_id = copy.deepcopy(world.vault), world.new_id
    return made


def found(world):
    """Which words the scanner finds in the lake's files, in published files, in media and in Label Studio."""
    objects = [
        (key.encode(), version.data or b"")
        for bucket in world.media.buckets.values()
        for key, versions in bucket.objects.items()
        for version in versions
    ]
    seen = set(scan_folder_of(world)) | words_in(
        json.dumps(world.label_studio.all_tasks, default=str).encode(), WORDS
    )
    return seen.union(*(words_in(part, WORDS) for parts in objects for part in parts))


def scan_folder_of(world):
    from pathlib import Path

    return scan_folder(Path(world.lake.uri), WORDS)


def test_nothing_is_left_before_a_backup_is_restored(world, before):
    assert (found(before), found(world)) == (set(WORDS), set())


@pytest.mark.parametrize(
    "places",
    [("lake",), ("label_studio",), ("media",), ("lake", "label_studio", "media")],
    ids=" and ".join,
)
def test_what_a_backup_brought_back_is_erased_by_the_replay(world, before, tmp_path, places, record_property):
    made = restored(world, before, tmp_path / "restored", *places)
    back = found(made)  # the control: without replay everything is there
    assert back == set(WORDS)
    counts = replay_suppressions(made).counts
    assert counts["returned"] + counts["restored"] > 0
    assert found(made) == set()
    assert audit_erasures(made).counts | {"receipts": 0} == dict.fromkeys(
        ("receipts", "offered", "returned", "lost", "overdue", "unproven"), 0
    )
    others = {f"subject-{number:02d}" for number in range(N)} - set(WORDS)
    kept = {row["key"].split("/")[1] for row in made.table("references").read().to_pylist()}
    assert kept == others
    record_property("figure", f"restore of {' and '.join(places)}: {len(back)}/{len(WORDS)} back, 0 after the replay")


def test_an_erasure_on_an_older_lake_replays_by_itself(world, before, tmp_path):
    made = restored(world, before, tmp_path / "restored", "lake")
    carry_out_requests(made)
    assert found(made) == set()
    assert len(receipts(made.lake)) == 2
    verify_chain(receipts(made.lake), genuine(published(made.hot, made.settings)))


def test_the_audit_tells_of_each_backup(world, before, tmp_path):
    for places, told in ((("lake",), "lost"), (("label_studio",), "returned 3")):
        made = restored(world, before, tmp_path / places[0], *places)
        with pytest.raises(DecisionNeeded, match=told):
            audit_erasures(made)


def test_a_request_that_was_open_when_the_backup_was_made_is_finished_again(template, tmp_path):
    world = copy_of(template, tmp_path / "now")
    ask(world, subjects=["subject-03"])
    before = copy_of(world, tmp_path / "before")
    carry_out_requests(world)
    made = restored(world, before, tmp_path / "restored", "lake", "label_studio")
    carry_out_requests(made)
    assert "subject-03" not in found(made)
    assert {made.hot.get(key).value["state"] for key in made.hot.keys("erasure/requests/")} == {"done"}


def test_an_owner_who_uploads_again_is_told_and_nothing_of_it_is_touched_by_an_erasure(world):
    world.media.write("media", key_of(3), PNG, content_type="image/png")
    carry_out_requests(world)
    assert len(world.media.versions("media", key_of(3))) == 1
    assert audit_erasures(world).counts["offered"] == 1


def test_a_suppression_that_was_lifted_since_the_backup_stays_lifted(world, tmp_path):
    (request,) = [key.split("/")[-1].removesuffix(".json") for key in world.hot.keys("erasure/requests/")]
    before = copy_of(world, tmp_path / "suppressing")
    lift_requests(world, request, officer("Mia", world.keys), "renewed-consent")
    world.media.write("media", key_of(3), PNG, content_type="image/png")
    made = restored(world, before, tmp_path / "restored", "lake")
    carry_out_requests(made)
    assert len(made.media.versions("media", key_of(3))) == 1
    assert made.table("suppressions").read()["lifted_at"].null_count == 0
