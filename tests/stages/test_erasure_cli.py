"""The erasure verbs: identifiers come in by file or standard input and never come out."""

from __future__ import annotations

import json

import pytest

from deployments.cli import any_project, receipt_verbs
from tasks.clients.receipts import receipts
from tasks.clients.refused_requests import RefusedFiles
from tasks.clients.settings import load_settings
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.inbox import take_up_inbox
from tests.builders.erasure_requests import ask
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world

WANTED = {"object_keys": ["digits/secret.png"], "subjects": ["secret-subject"], "verification": "letter"}


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A world in memory in place of the one the settings name."""
    (tmp_path / "specs").mkdir()
    made = make_world(tmp_path, settings={"projects_dir": tmp_path / "specs"}, label_studio=MemoryLabelStudio())
    monkeypatch.setattr(any_project, "open_world", lambda _: made)
    for verbs in (any_project, receipt_verbs):
        monkeypatch.setattr(verbs, "load_settings", lambda: made.settings)
    return made


def test_a_request_on_standard_input_gives_an_opaque_id_and_its_deadline(labelloop, world):
    code, out, _ = labelloop("erase", "request", "digits", "--json", stdin=json.dumps(WANTED))
    answer = json.loads(out)
    assert (code, len(answer["request_id"]), answer["due_at"]) == (0, 32, "2026-12-02T06:00:00+00:00")
    assert world.hot.keys("erasure/requests/") == [f"erasure/requests/{answer['request_id']}.json"]


def test_a_request_can_come_from_a_file(labelloop, world, tmp_path):
    (tmp_path / "request.json").write_text(json.dumps(WANTED))
    code, out, _ = labelloop("erase", "request", "digits", "--file", "request.json")
    assert (code, len(out.strip())) == (0, 32)


@pytest.mark.parametrize("text", ["", "{}", json.dumps({**WANTED, "prefixes": ["secret-prefix"]}), '{"subjects": 1}'])
def test_a_malformed_request_is_refused_and_nothing_is_recorded(labelloop, world, text):
    code, out, err = labelloop("erase", "request", "digits", stdin=text)
    assert (code, out, world.hot.keys("erasure/")) == (2, "", [])
    assert "secret" not in err
    assert "Traceback" not in err


def test_identifiers_are_no_arguments(labelloop, world):
    code, _, _ = labelloop("erase", "request", "digits", "--subjects", "anna")
    assert (code, world.hot.keys("erasure/")) == (2, [])


def test_the_status_names_requests_without_what_they_name(labelloop, world):
    request_id = ask(world, subjects=["secret-subject"])
    world.now.advance(days=40)
    code, out, _ = labelloop("erase", "status", "digits", "--json")
    (row,) = json.loads(out)
    assert (code, row["request_id"], row["state"], row["overdue"]) == (0, request_id, "open", True)
    assert "payload" not in row
    assert "secret" not in labelloop("erase", "status", "digits")[1]


def test_a_request_can_be_approved_by_two_people_and_an_unknown_one_by_nobody(labelloop, world):
    request_id = ask(world, subjects=["secret-subject"])

    def approve(name, officer):
        return labelloop("erase", "approve", name, "digits", "--officer", officer, "--json")

    assert json.loads(approve(request_id, "Mia")[1])[0]["approved"] is False
    assert approve(request_id, "mia")[0] == 2
    (answer,) = json.loads(approve(request_id, "Anna")[1])
    assert answer["approved"] is True
    assert "Anna" not in json.dumps(answer)
    assert approve("f" * 32, "Anna")[0] == 2
    code, _, error = labelloop("erase", "approve", request_id, "digits")
    assert (code, "who decides" in error) == (2, True)


def test_a_document_of_many_is_approved_as_a_whole_by_somebody_else(labelloop, world):
    world.settings = world.settings.model_copy(update={"officer": "Mia"})
    table = "verification,kind,identifier\n" + "".join(f"letter {n},subject,secret-{n}\n" for n in range(3))
    code, out, _ = labelloop("erase", "request", "digits", "--json", stdin=table)
    answer = json.loads(out)
    assert (code, len(answer["requests"])) == (0, 3)
    assert labelloop("erase", "approve", answer["document"], "digits")[0] == 2
    approved = json.loads(
        labelloop("erase", "approve", answer["document"], "digits", "--officer", "Kim", "--json")[1]
    )
    assert [row["approved"] for row in approved] == [True] * 3
    assert not [row for row in approved if "secret" in json.dumps(row)]


def test_a_deadline_is_extended_once_with_a_reason(labelloop, world):
    request_id = ask(world, subjects=["secret-subject"])
    words = ("erase", "extend", request_id, "digits", "--officer", "Mia", "--reason")
    assert labelloop(*words, "because")[0] == 2
    (answer,) = json.loads(labelloop(*words, "complexity", "--months", "1", "--json")[1])
    assert answer["due_at"][:10] == "2027-01-02"
    assert labelloop(*words, "number")[0] == 2


def test_the_status_warns_before_a_deadline_and_shows_it_to_people(labelloop, world):
    ask(world, subjects=["secret-subject"])
    world.now.advance(days=25)
    (row,) = json.loads(labelloop("erase", "status", "digits", "--json")[1])
    assert (row["warning"], row["overdue"]) == ("80 %", False)
    told = labelloop("erase", "status", "digits")[1]
    assert "80 %" in told
    assert "2026-12-02" in told


def test_a_receipt_is_shown_verified_and_refused_when_changed(labelloop, world, tmp_path):
    request_id = ask(world, subjects=["secret-subject"])
    assert labelloop("receipt", "show", request_id, "digits")[0] == 2
    carry_out_requests(world)
    assert labelloop("receipt", "show", request_id, "digits", "--out", "receipt.json")[0] == 0
    assert labelloop("receipt", "key", "digits", "--out", "receipts.pem")[0] == 0
    file = tmp_path / "receipt.json"
    code, out, _ = labelloop("receipt", "verify", file)
    assert (code, out.startswith("genuine: ")) == (0, True)
    assert labelloop("receipt", "verify", file, "--key", "receipts.pem")[0] == 0
    file.write_text(file.read_text().replace('\\"found\\":0', '\\"found\\":1'))
    code, _, err = labelloop("receipt", "verify", file)
    assert (code, "the receipt was changed" in err) == (1, True)
    assert len(receipts(world.lake)) == 1


def test_a_receipt_is_verified_with_the_public_key_alone(labelloop, world, monkeypatch):
    request_id = ask(world, subjects=["secret-subject"])
    carry_out_requests(world)
    labelloop("receipt", "show", request_id, "digits", "--out", "receipt.json")
    labelloop("receipt", "key", "digits", "--out", "receipts.pem")
    monkeypatch.setattr(receipt_verbs, "load_settings", load_settings)  # there are no settings here
    assert labelloop("receipt", "verify", "receipt.json", "--key", "receipts.pem")[0] == 0
    assert labelloop("receipt", "verify", "receipt.json", "--key", "receipt.json")[0] == 2
    assert labelloop("receipt", "verify", "receipts.pem", "--key", "receipts.pem")[0] == 2


@pytest.fixture
def refused(world):
    """The id of a refused file of the inbox."""
    world.media.write("lake", "inbox/erasure/digits/secret.csv", b"secret,kind\n", content_type="text/csv")
    take_up_inbox(world)
    (record,) = RefusedFiles(world.hot, world.vault).all()
    return record.file_id


def test_a_refused_file_is_listed_with_its_problems_and_its_deadline_runs(labelloop, world, refused):
    (row,) = json.loads(labelloop("erase", "status", "digits", "--json")[1])
    assert (row["request_id"], row["state"], row["overdue"]) == (refused, "refused", True)
    assert "the column verification is missing" in row["reason"]
    assert "refused" in labelloop("erase", "status", "digits")[1]


def test_a_refused_file_is_taken_back_once_readable_by_its_owner_only(labelloop, world, refused, tmp_path):
    (tmp_path / "there.csv").write_text("mine")
    assert labelloop("erase", "take-back", refused, "digits", "--out", "there.csv")[0] == 2
    assert (tmp_path / "there.csv").read_text() == "mine"
    code, out, _ = labelloop("erase", "take-back", refused, "digits", "--out", "mended.csv", "--json")
    assert (code, json.loads(out)) == (0, {"file_id": refused, "bytes": 12})
    file = tmp_path / "mended.csv"
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"secret,kind\n", 0o600)
    assert labelloop("erase", "take-back", refused, "digits", "--out", "again.csv")[0] == 2
    assert [key for key in (*world.hot.keys("erasure/"), *world.vault.keys("keys/")) if refused in key] == []


def test_the_only_project_need_not_be_named(labelloop, world, tmp_path):
    assert labelloop("erase", "status")[0] == 2
    (tmp_path / "specs" / "digits.yaml").write_text("name: digits\n")
    assert labelloop("erase", "status")[0] == 0
