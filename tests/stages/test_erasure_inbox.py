"""The inbox: every file becomes requests once or a named refusal, and no version of it stays."""

from __future__ import annotations

import json

import pytest

from labelloop.errors import UnavailableError
from labelloop.identity import KeyRing
from tasks.clients.erasures import Erasures
from tasks.clients.receipts import receipts
from tasks.clients.refused_requests import RefusedFiles
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.inbox import take_up_inbox
from tests.builders.erasure_requests import ask
from tests.fakes.faults import killed_after_each_effect
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world

ANNA = {"subjects": ["anna"], "verification": "letter 7"}
TABLE = (
    "verification,kind,identifier\nletter 1,subject,anna\nletter 2,subject,bert\nletter 2,object_key,digits/b.png\n"
)
NOTHING = {"requests": 0, "refused": 0, "left": 0}


@pytest.fixture(params=[True, False], ids=["versioned", "unversioned"])
def world(request, tmp_path):
    return with_inbox(tmp_path, versioned=request.param)


def with_inbox(folder, *, versioned):
    (folder / "specs").mkdir()
    settings = {"projects_dir": folder / "specs", "erasure_inbox_uri": "s3://privacy/inbox", "lease_wait_seconds": 0}
    made = make_world(folder, settings=settings, label_studio=MemoryLabelStudio())
    made.media.make_bucket("privacy", versioned=versioned)
    return made


def put(world, name, content):
    text = json.dumps(content) if isinstance(content, dict) else content
    data = text.encode() if isinstance(text, str) else text
    world.media.write("privacy", f"inbox/{name}", data, content_type="text/plain")


def take_up(world):
    return {what: number for what, number in take_up_inbox(world).items() if number}


def asked(world):
    erasures = Erasures(world.hot, world.vault)
    return [erasures.identifiers(request) for request in erasures.all()]


def refused(world):
    return RefusedFiles(world.hot, world.vault).all()


def files(world):
    return list(world.media.keys_ever("privacy"))


def test_an_erasure_takes_up_the_inbox_before_anything_else(tmp_path):
    world = with_inbox(tmp_path, versioned=True)
    world.media.write("media", "digits/anna/1.png", b"1", content_type="image/png")
    put(world, "digits/one.json", ANNA)
    put(world, "digits/wrong.json", "{")
    assert carry_out_requests(world).counts["done"] == 1
    assert (files(world), world.media.versions("media", "digits/anna/1.png")) == ([], [])
    assert len(refused(world)) == 1


def counted(world):
    """What the newest receipt says of the inbox: found, erased, remaining."""
    place = json.loads(receipts(world.lake)[-1].payload)["sinks"]["inbox_files"]
    return place["found"], place["erased"], place["remaining"]


def test_the_receipt_counts_the_file_a_request_came_from(world):
    put(world, "digits/one.json", ANNA)
    carry_out_requests(world)
    assert counted(world) == (1, 1, 0)
    ask(world, subjects=["bert"])
    carry_out_requests(world)
    assert counted(world) == (0, 0, 0)


@pytest.mark.parametrize("rotated", [False, True])
def test_no_receipt_is_issued_while_a_version_of_the_file_is_left(world, rotated):
    put(world, "digits/one.json", ANNA)
    world.media.lies["privacy"] = 10**6
    with pytest.raises(UnavailableError, match="inbox_files 1"):
        carry_out_requests(world)
    assert receipts(world.lake) == []
    if rotated:
        world.keys = KeyRing({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")
    world.media.lies["privacy"] = 0
    assert carry_out_requests(world).counts["done"] == 1
    assert (files(world), counted(world)) == ([], (1, 1, 0))


def test_an_upload_that_hides_a_file_does_not_hide_it_from_its_receipt(tmp_path):
    world = with_inbox(tmp_path, versioned=True)
    world.media.lies["privacy"] = 10**6
    for subject in ("anna", "bert"):
        put(world, "digits/one.json", {**ANNA, "subjects": [subject]})
        with pytest.raises(UnavailableError, match="inbox_files 1"):
            carry_out_requests(world)
        world.now.advance(days=1)
    assert (len(asked(world)), receipts(world.lake)) == (2, [])


def test_an_empty_inbox_is_nothing(world):
    assert take_up_inbox(world) == NOTHING


def test_each_file_becomes_sealed_requests_and_no_version_of_it_stays(world):
    put(world, "digits/one.json", {**ANNA, "subjects": ["first version"]})
    put(world, "digits/one.json", ANNA)
    put(world, "digits/many.csv", TABLE)
    assert take_up(world) == {"requests": 3}
    assert files(world) == []
    assert sorted(wanted.subjects for wanted in asked(world)) == [("anna",), ("anna",), ("bert",)]
    assert "anna" not in json.dumps({key: world.hot.get(key).value for key in world.hot.keys("")})
    together = {request.together for request in Erasures(world.hot, world.vault).all()}
    assert together == {1, 2}


def test_the_time_runs_from_the_upload(world):
    put(world, "digits/one.json", ANNA)
    (uploaded,) = [batch["last_modified"][0].as_py() for batch in world.media.list("privacy")]
    take_up(world)
    assert Erasures(world.hot, world.vault).all()[0].received_at == uploaded


def test_a_second_run_takes_up_nothing_and_a_new_file_of_the_same_name_is_a_new_request(world):
    put(world, "digits/one.json", ANNA)
    assert take_up(world) == {"requests": 1}
    assert take_up(world) == {}
    put(world, "digits/one.json", ANNA)
    assert take_up(world) == {"requests": 1}
    assert len(asked(world)) == 2


def test_a_file_that_cannot_be_destroyed_is_taken_up_once_even_after_a_key_rotation(world):
    world.media.lies["privacy"] = 10**6
    put(world, "digits/many.csv", TABLE)
    put(world, "digits/wrong.csv", "secret,kind\n")
    assert take_up(world) == {"requests": 2, "refused": 1, "left": 2}
    assert take_up(world) == {"left": 2}
    world.keys = KeyRing({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")
    assert take_up(world) == {"left": 2}
    world.media.lies["privacy"] = 0
    assert (take_up(world), files(world), len(asked(world)), len(refused(world))) == ({}, [], 2, 1)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("digits/secret.json", '{"subjects": ["secret"], "prefixes": ["secret"]}', "prefixes: item 0"),
        ("digits/secret.csv", "secret,kind\n", "the column verification is missing"),
        ("digits/secret.bin", b"\xff\xfe secret", "no UTF-8 text"),
        ("digits/empty.json", b"", "is empty"),
        ("secret/one.json", json.dumps(ANNA), "no labelling project's folder"),
        ("digits/secret/one.json", json.dumps(ANNA), "no labelling project's folder"),
    ],
)
def test_a_malformed_file_is_refused_whole_named_without_values_and_kept_sealed(world, name, content, problem):
    put(world, name, content)
    assert take_up(world) == {"refused": 1}
    assert (asked(world), files(world)) == ([], [])
    (record,) = refused(world)
    assert problem in record.reason
    assert "secret" not in record.model_dump_json()
    data = content if isinstance(content, bytes) else content.encode()
    assert RefusedFiles(world.hot, world.vault).content(record.file_id) == data


def test_a_file_outside_any_folder_is_that_of_the_only_project(world):
    put(world, "one.json", ANNA)
    assert take_up(world) == {"requests": 1}
    assert Erasures(world.hot, world.vault).all()[0].project == "digits"


def test_a_file_that_is_too_large_stays_where_it_is_and_is_named_once(world, monkeypatch):
    monkeypatch.setattr("tasks.erasure.inbox._LARGEST", 10)
    put(world, "digits/one.json", ANNA)
    assert take_up(world) == {"refused": 1, "left": 1}
    assert take_up(world) == {"left": 1}
    assert "larger than 64 MiB" in refused(world)[0].reason


def test_a_file_withdrawn_before_it_was_read_leaves_no_version_and_no_request(tmp_path):
    world = with_inbox(tmp_path, versioned=True)
    put(world, "digits/one.json", ANNA)
    world.media.delete_plainly("privacy", "inbox/digits/one.json")
    assert take_up(world) == {}
    assert (files(world), asked(world)) == ([], [])


def test_a_file_that_a_run_beside_this_one_took_up_is_no_error(world):
    put(world, "digits/one.json", ANNA)
    read = world.media.read

    def overtaken(bucket, key, **more):
        world.media.read = read
        assert take_up(world) == {"requests": 1}
        return read(bucket, key, **more)

    world.media.read = overtaken
    assert take_up(world) == {}
    assert len(asked(world)) == 1


def test_a_version_that_arrives_during_the_run_waits_for_the_next(tmp_path):
    world = with_inbox(tmp_path, versioned=True)
    put(world, "digits/one.json", ANNA)
    listed = world.media.versions

    def overwritten_once(bucket, key):
        world.media.versions = listed
        put(world, "digits/one.json", {**ANNA, "subjects": ["bert"]})
        return listed(bucket, key)

    world.media.versions = overwritten_once
    assert take_up(world) == {}
    assert take_up(world) == {"requests": 1}
    assert asked(world)[0].subjects == ("bert",)


def test_killed_after_any_effect_each_file_has_become_its_requests_once(tmp_path):
    template = with_inbox(tmp_path, versioned=True)
    put(template, "digits/many.csv", TABLE)
    put(template, "digits/wrong.json", "{")

    def step(world, faults=None):
        take_up_inbox(faults.guard(world) if faults else world)

    kills = 0
    for kills, world in enumerate(killed_after_each_effect(template, tmp_path / "killed", step), 1):
        assert sorted(wanted.subjects for wanted in asked(world)) == [("anna",), ("bert",)]
        assert (len(refused(world)), files(world)) == (1, []), f"killed after effect {kills}"
        assert len(world.vault.keys("keys/erasure/")) == 3
    assert kills >= 8
