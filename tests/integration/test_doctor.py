"""The verb `doctor` against servers that answer, refuse or are not there: a named finding for each."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from deployments.cli import environment
from deployments.local import owner_only
from labelloop.identity import KeyRing
from tasks.clients.hot import S3HotState
from tasks.clients.label_studio_connection import Connection
from tasks.clients.s3 import connect, split_uri
from tests.builders.closed_ports import closed_port
from tests.builders.settings import KEY
from tests.builders.trust_zone import name_open_buckets

pytestmark = pytest.mark.integration


def settings_of_nowhere(tmp_path, **given):
    """Settings whose servers are closed ports of this machine."""
    url = closed_port()
    return {
        "LABELLOOP_S3_ENDPOINT": url,
        "LABELLOOP_S3_ACCESS_KEY": "hush",
        "LABELLOOP_S3_SECRET_KEY": "hush",
        "LABELLOOP_LAKE_URI": "s3://lake",
        "LABELLOOP_VAULT_URI": "s3://vault",
        "LABELLOOP_LABEL_STUDIO_URL": url,
        "LABELLOOP_LABEL_STUDIO_TOKEN": "hush",
        "LABELLOOP_SUPPRESSION_KEYS": json.dumps({"k1": KEY}),
        "LABELLOOP_RECEIPT_KEY": KEY,
        "LABELLOOP_PROJECTS_DIR": str(tmp_path),
        "PREFECT_API_URL": f"{url}/api",
        "PREFECT_API_AUTH_STRING": "hush",
        **given,
    }


def findings(printed):
    return {finding["check"]: finding for finding in json.loads(printed)}


def diagnosed_afresh(variables, tmp_path, *words):
    """Exit code and findings by check of a process that has its settings from the environment file alone."""
    owner_only.write_variables(tmp_path / "env", variables)
    own = {environment.ENVIRONMENT_FILE_VARIABLE: str(tmp_path / "env"), "PATH": "", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "deployments.cli.main", "doctor", *words, "--json"]
    ending = subprocess.run(command, env=own, capture_output=True, text=True)
    assert "Traceback" not in ending.stderr, ending.stderr
    return ending.returncode, findings(ending.stdout)


@pytest.fixture
def diagnosed(labelloop, monkeypatch):
    """The same in this process, which has what takes another so long: its imports."""

    def run(variables, *words):
        with monkeypatch.context() as patch:
            for name, value in variables.items():
                patch.setenv(name, value)
            # Prefect read its own settings when it was imported.
            prefect = {setting: variables[setting.name] for setting in (PREFECT_API_URL, PREFECT_API_AUTH_STRING)}
            with temporary_settings(updates=prefect):
                code, printed, _ = labelloop("doctor", *words, "--json")
        return code, findings(printed)

    return run


def test_the_doctor_names_every_server_that_does_not_answer(tmp_path, diagnosed):
    code, found = diagnosed(settings_of_nowhere(tmp_path))
    assert code == 1
    assert {name: finding["state"] for name, finding in found.items()} == {
        "settings": "ok",
        "S3": "failed",
        "lake": "not checked",
        "vault": "not checked",
        "suppression keys": "not checked",
        "Label Studio": "failed",
        "trust zone": "not checked",
        "addresses of media": "not checked",
        "locks of tasks": "failed",
        "Prefect": "failed",
    }
    assert "LABELLOOP_S3_ENDPOINT" in found["S3"]["remedy"]
    assert "LABELLOOP_LABEL_STUDIO_URL" in found["Label Studio"]["remedy"]
    assert "PREFECT_API_URL" in found["Prefect"]["remedy"]
    assert "TASK_LOCK_TTL" in found["locks of tasks"]["remedy"]
    assert "hush" not in json.dumps(found)


def test_the_doctor_names_settings_that_cannot_be_right_and_specs_with_problems(tmp_path):
    (tmp_path / "cars.yaml").write_text("name: cars\n")
    bad = {"LABELLOOP_S3_ENDPOINT": "nowhere", "LABELLOOP_LABEL_STUDIO_URL": "http://", "PREFECT_API_URL": "nowhere"}
    _, found = diagnosed_afresh(settings_of_nowhere(tmp_path, **bad), tmp_path, "cars")
    assert found["S3"]["message"] == "LABELLOOP_S3_ENDPOINT or LABELLOOP_S3_REGION is wrong"
    assert found["Prefect"]["message"] == "PREFECT_API_URL is not set or no URL"
    assert "did not answer" in found["Label Studio"]["message"]
    assert "media: Field required" in found["spec of cars"]["message"]
    assert found["media of cars"]["state"] == "not checked"


@pytest.fixture
def variables(stack, tmp_path):
    """Environment of the running stack, with a folder of specs of its own."""
    return dict(stack.variables) | {"LABELLOOP_PROJECTS_DIR": str(tmp_path)}


@pytest.mark.usefixtures("worker")
def test_the_doctor_finds_nothing_wrong_with_a_whole_stack(variables, tmp_path, label_studio):
    bucket = variables["LABELLOOP_LAKE_URI"].removeprefix("s3://")
    spec = {"name": "cars", "title": "Cars", "media": {"bucket": bucket}, "guidelines": {"text": "Look."}}
    labels = [{"value": "a"}, {"value": "b"}]
    spec["interface"] = {"questions": [{"name": "what", "prompt": "What?", "labels": labels}]}
    (tmp_path / "cars.yaml").write_text(json.dumps(spec | {"annotators": {"count": 4}}))
    name_open_buckets(label_studio, tmp_path)
    code, found = diagnosed_afresh(variables, tmp_path, "cars")
    assert {name: finding["state"] for name, finding in found.items()} == dict.fromkeys(found, "ok"), found
    assert code == 0


@pytest.mark.usefixtures("prefect", "label_studio")
def test_the_doctor_names_every_server_that_refuses_us(variables, diagnosed):
    wrong = {"LABELLOOP_S3_ACCESS_KEY": "somebody", "LABELLOOP_LABEL_STUDIO_TOKEN": "0" * 40}
    code, found = diagnosed(variables | wrong | {"PREFECT_API_AUTH_STRING": "admin:wrong"})
    assert code == 1
    assert "S3 refused us" in found["S3"]["message"]
    assert "refused us" in found["Label Studio"]["message"]
    assert "refuses us (HTTP 401)" in found["Prefect"]["message"]
    assert found["lake"]["state"] == "not checked"


@pytest.mark.usefixtures("prefect", "label_studio")
def test_the_doctor_names_buckets_servers_and_experts_that_are_not_there(variables, diagnosed):
    wrong = {"LABELLOOP_LAKE_URI": "s3://nowhere", "LABELLOOP_EXPERTS": '["nobody@labels.test"]'}
    _, found = diagnosed(variables | wrong | {"PREFECT_API_URL": variables["LABELLOOP_LABEL_STUDIO_URL"]})
    assert found["S3"]["state"] == "ok"
    assert "the bucket does not exist" in found["lake"]["message"]
    assert found["vault"]["state"] == "ok"
    assert found["Label Studio"]["message"] == "0 of 1 experts have an account"
    assert found["Prefect"]["state"] == "failed"


def test_the_doctor_names_open_buckets_of_others_and_addresses_that_open_for_long(label_studio, variables, diagnosed):
    server, token = label_studio.label_studio_url, label_studio.label_studio_token.get_secret_value()
    with Connection(server, token, 30).asking("opening a bucket") as sdk:
        project = sdk.projects.create(title="of others").id
        where = {"bucket": split_uri(label_studio.lake_uri)[0], "s3endpoint": label_studio.s3_endpoint}
        keys = {
            "aws_access_key_id": label_studio.s3_access_key.get_secret_value(),
            "aws_secret_access_key": label_studio.s3_secret_key.get_secret_value(),
        }
        sdk.import_storage.s3.create(project=project, presign=True, presign_ttl=60, **where, **keys)
        _, found = diagnosed(variables)
        sdk.projects.delete(project)
    assert "buckets that no spec here names" in found["trust zone"]["message"]
    assert found["addresses of media"]["message"].startswith("1 projects hand out addresses")
    assert str(project) in found["addresses of media"]["remedy"]
    assert where["bucket"] not in json.dumps([found["trust zone"], found["addresses of media"]])


def test_the_doctor_names_a_suppression_key_that_is_not_the_one_that_was_used(s3, variables, diagnosed):
    hot = S3HotState(connect(s3), f"{s3.lake_uri}/other/hot")
    hot.create("suppression-keys.json", KeyRing({"k1": bytes(32)}, "k1").check_values())
    _, found = diagnosed(variables | {"LABELLOOP_LAKE_URI": f"{s3.lake_uri}/other"})
    assert "not the key that was used: k1" in found["suppression keys"]["message"]
