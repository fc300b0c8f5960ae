"""Bad input through the command line, on the real servers: a named error or a refused row, nothing lost or told.

What can be wrong with files and parameters alone is in `tests/unit/test_cli.py`.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from prefect.logging.handlers import APILogWorker
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

import tasks.erasure.carry_out
import tasks.push
from deployments.demo import digits
from tasks.clients.s3 import connect
from tasks.clients.world import World, open_world
from tests.builders.closed_ports import closed_port
from tests.scanner import scan_bucket, scan_folder, words_in

pytestmark = pytest.mark.integration

# With half of a batch for audits, all of the few units fit into one, whichever of them the digests make audit units.
SPEC = """
name: odd
title: Odd things
media: {{bucket: {bucket}, prefix: "{prefix}", subject_id: {{key: "(?P<subject>[^/]+)/"}}}}
interface:
  questions:
    - {{name: digit, prompt: "Which digit?", labels: [{{value: "0"}}, {{value: "1"}}]}}
guidelines: {{text: Choose the digit.}}
sampling: {{strategy: random, batch_size: 40, audit_rate: 0.5}}
overlap: {{annotators: 2, maximum: 2}}
annotators: {{count: 2}}
model: {{{model}}}
"""
PNG = digits.images(24)


@dataclass
class Project:
    """A project with a bucket and a lake of its own, worked on by the command line."""

    labelloop: Any
    patch: pytest.MonkeyPatch
    client: Any
    bucket: str
    folder: Any

    def describe(self, *, model="source: none", prefix="", bucket=None) -> None:
        text = SPEC.format(bucket=bucket or self.bucket, prefix=prefix, model=model)
        (self.folder / "odd.yaml").write_text(text, encoding="utf-8")

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=data)

    def run(self, flow="weekly-batch", **changes: str):
        with self.patch.context() as patch:
            for name, value in changes.items():
                patch.setenv(name, value)
            code, out, err = self.labelloop("run", flow, "-p", "project=odd")
        assert "Traceback" not in out + err
        return code, out + err

    @property
    def world(self) -> World:
        return open_world("odd")

    def refused(self) -> Counter:
        return Counter(self.world.table("quarantine").read()["rule"].to_pylist())

    def asked(self) -> Counter:
        """How many tasks there are for each object, on the server."""
        units = {row["unit_id"]: row["ref_ids"][0] for row in self.world.table("units").read().to_pylist()}
        keys = {row["ref_id"]: row["key"] for row in self.world.table("references").read().to_pylist()}
        (number,) = set(self.world.table("tasks").read()["ls_project"].to_pylist())
        return Counter(keys[units[t.unit_id]] for t in self.world.label_studio.changed_tasks(number, None))


@pytest.fixture
def project(tmp_path, stack, label_studio, prefect, labelloop, monkeypatch, request):
    bucket = f"odd-{abs(hash(request.node.name))}"
    own = {"LABELLOOP_PROJECTS_DIR": str(tmp_path), "LABELLOOP_LAKE_URI": f"s3://labelloop-lake/{bucket}"}
    for name, value in {**stack.variables, **own}.items():
        monkeypatch.setenv(name, value)
    for stage in (tasks.erasure.carry_out.erasure, tasks.push.push):
        monkeypatch.setattr(stage, "retries", 0)  # a minute of patience each
    client = connect(label_studio)
    client.create_bucket(Bucket=bucket)
    found = Project(labelloop, monkeypatch, client, bucket, tmp_path)
    found.describe()
    return found


@pytest.fixture
def filled(project):
    for number, png in enumerate(PNG[:6]):
        project.put(f"someone-{number}/{number}.png", png)
    return project


OUTAGES = (
    ({"LABELLOOP_S3_ENDPOINT": closed_port()}, "S3 did not answer while reading hot state"),
    ({"LABELLOOP_S3_SECRET_KEY": "not the secret"}, "S3 refused us while reading hot state"),
    ({"LABELLOOP_LABEL_STUDIO_URL": closed_port()}, "did not answer while"),
    ({"LABELLOOP_LABEL_STUDIO_TOKEN": "0" * 40}, "refused us while"),
)


def test_servers_that_are_away_or_refuse_one_after_the_other_stop_the_batch_and_the_next_run_completes_it(filled):
    for changes, told in OUTAGES:
        code, output = filled.run(**changes)
        assert (code, told in output) == (1, True), output
        assert f"; check {next(iter(changes)).rpartition('_')[0]}" in output or "check the credentials" in output
    assert filled.run()[0] == 0
    assert filled.asked() == {f"someone-{n}/{n}.png": 1 for n in range(6)}


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        (PREFECT_API_URL, f"{closed_port()}/api", "no Prefect server answers (ConnectError); check PREFECT_API_URL"),
        (PREFECT_API_AUTH_STRING, "admin:wrong", "refuses us (HTTP 401); check PREFECT_API_AUTH_STRING"),
    ],
    ids=["away", "refuses"],
)
def test_a_prefect_server_that_is_away_or_refuses_is_named_in_one_line(filled, setting, value, told):
    with temporary_settings(updates={setting: value}):
        code, output = filled.run()
    assert (code, told in output) == (1, True), output
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"bucket": "no-such-bucket-anywhere"}, "the bucket does not exist"),
        ({"prefix": "nobody/"}, "there is no object in bucket"),
    ],
    ids=["no bucket", "empty prefix"],
)
def test_a_source_without_media_is_bad_input_and_changes_nothing(filled, source, told):
    filled.run("sync")
    before = filled.world.table("references").read()
    filled.describe(**source)
    code, output = filled.run()
    assert (code, told in output) == (2, True), output
    assert filled.world.table("references").read() == before
    assert filled.world.table("batches").version() is None


def test_a_run_that_fails_says_so_once_without_a_traceback_and_leaves_no_file_behind(project, tmp_path):
    (tmp_path / "left").mkdir()
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(tmp_path / "left"))
    command = [sys.executable, "-m", "deployments.cli.main", "run", "sync", "-p", "project=odd"]
    variables = {name: value for name, value in os.environ.items() if name != "CI"} | places
    ending = subprocess.run(command, env=variables, capture_output=True, text=True)
    lines = ending.stderr.splitlines()
    assert (ending.returncode, ending.stdout) == (2, "")
    assert lines[-1].startswith("labelloop: there is no object in bucket")
    assert [line for line in lines[:-1] if not line[:2].isdigit()] == []  # all others are lines of the log
    assert list((tmp_path / "left").iterdir()) == []


def parquet(**columns) -> bytes:
    buffer = BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("source", "data", "told"),
    [
        ("parquet", None, "model.uri of the spec names no object; upload the file or mend the spec"),
        ("parquet", b"", "names no Parquet file; write it as Parquet"),
        ("parquet", b"PAR1, they said", "names no Parquet file; write it as Parquet"),
        ("parquet", parquet(key=["a"]), "give exactly one of probabilities, committee, boxes, spans"),
        (
            "parquet",
            parquet(key=["a"], probabilities=["half"]),
            "column holds string; give lists of numbers",
        ),
        ("onnx", None, "model.uri of the spec names no object; upload the file or mend the spec"),
        ("onnx", pickle.dumps({"weights": [1.0]}), "the ONNX model cannot be opened"),
    ],
    ids=["missing", "empty", "no Parquet", "no column", "words", "no model", "pickle"],
)
def test_a_model_file_that_cannot_be_read_is_bad_input(filled, source, data, told):
    filled.describe(model=f"source: {source}, uri: 's3://{filled.bucket}/model'")
    if data is not None:
        filled.put("model", data)
    code, output = filled.run()
    assert (code, told in output) == (2, True), output
    assert filled.world.table("predictions").read().num_rows == 0 or source == "onnx"
    assert filled.world.table("batches").version() is None


def test_predictions_that_cannot_be_believed_are_refused_row_by_row(filled):
    keys = [f"someone-{n}/{n}.png" for n in range(4)]
    rows = [[0.9, 0.1], [float("nan"), 1.0], [0.2, 0.3, 0.5], [0.9, 0.9]]
    filled.put("model", parquet(key=keys, probabilities=pa.array(rows, pa.list_(pa.float64()))))
    filled.describe(model=f"source: parquet, uri: 's3://{filled.bucket}/model'")
    code, output = filled.run()
    assert (code, "score: scored 1, refused 3" in output) == (0, True), output
    assert filled.refused() == {"not_finite": 1, "wrong_class_count": 1, "not_summing_to_one": 1}
    assert "5 references wait for what the model says of them" in output
    assert filled.asked() == {keys[0]: 1}


GOOD_KEYS = ("a b", "ü/猫", "a#1", "100%", "%41", "A", "a+b&c", "'quote\"", "e\u0301", "\u00e9", "a;b=c,d", "x:y@z")
BAD_OBJECTS = {
    "line\nbreak.png": (PNG[0], "the key holds control characters or a path segment of dots; rename the object"),
    "tab\t.png": (PNG[0], "the key holds control characters or a path segment of dots; rename the object"),
    "question?.png": (PNG[23], "Label Studio cannot address a key with a leading slash, a question mark"),
    "nothing.png": (b"", "the object has no bytes; upload it again or delete it"),
    "words.png": (b"no picture", "the content is not the media its name promises; convert or delete the object"),
    "cut.png": (PNG[0][:60], "the image is damaged; upload it again or delete it"),
}


def test_odd_objects_are_shown_to_annotators_as_they_are_or_refused_with_what_to_do(project):
    project.describe(model="source: trainer, features: {width: 8, height: 8}")
    for number, name in enumerate(GOOD_KEYS):
        project.put(f"{name}.png", PNG[number])
    for key, (data, _) in BAD_OBJECTS.items():
        project.put(key, data)
    assert project.run()[0] == 0
    assert project.asked() == {f"{name}.png": 1 for name in GOOD_KEYS}
    told = project.refused()
    assert sum(told.values()) == len(BAD_OBJECTS)
    assert all(any(rule.startswith(reason) for rule in told) for _, reason in BAD_OBJECTS.values())
    assert all("; " in rule for rule in told)
    named = json.loads(project.labelloop("quarantine", "odd", "--reveal", "--json")[1])
    assert {row["held"]["key"] for row in named} == set(BAD_OBJECTS)
    assert shown(project) == {f"{name}.png": PNG[number] for number, name in enumerate(GOOD_KEYS)}


def shown(project) -> dict[str, bytes]:
    """What Label Studio hands to an annotator's browser for each object."""
    world, images = project.world, {}
    settings = world.settings
    keys = {row["ref_id"]: row["key"] for row in world.table("references").read().to_pylist()}
    with requests.Session() as browser:
        browser.headers["Authorization"] = f"Token {settings.label_studio_token.get_secret_value()}"
        for number in world.table("tasks").read()["task_id"].to_pylist():
            data = browser.get(f"{settings.label_studio_url}/api/tasks/{number}?resolve_uri=true").json()["data"]
            images[keys[data["ref"]]] = browser.get(urljoin(settings.label_studio_url, data["image"])).content
    return images


def test_no_key_subject_or_secret_is_told_to_anybody(project, stack):
    keys = {f"canary-subject-{n}/canary-key-{n}.png": data for n, data in enumerate([*PNG[:4], b"", b"no picture"])}
    for key, data in keys.items():
        project.put(key, data)
    rows = {"key": [*keys, "canary-key-of-nobody"], "probabilities": [[0.5, 0.5], [0.9, 0.9]] + [[1.0]] * 5}
    project.put("model", parquet(**rows))
    project.describe(model=f"source: parquet, uri: 's3://{project.bucket}/model'")
    (code, told), (failed, more) = project.run(), project.run(LABELLOOP_LABEL_STUDIO_TOKEN="canary-token")
    assert (code, failed) == (0, 1)
    APILogWorker.drain_all(timeout=60)  # it tells the server some seconds later

    canaries = ["canary-subject", "canary-key", "canary-token"]
    open_words = ("label_studio_email", "s3_access_key")  # the id of a key, which servers log
    secrets = [value for name, value in vars(stack.credentials).items() if value and name not in open_words]
    hidden = [*canaries, *secrets, *(base64.b64encode(word.encode()).decode() for word in canaries)]
    assert set(scan_bucket(project.client, project.bucket, canaries)) == {"canary-subject", "canary-key"}
    assert scan_folder(stack.root / "prefect", ["weekly-batch", "already_there"]).keys() == {
        "weekly-batch",
        "already_there",
    }
    assert words_in((told + more).encode(), hidden) == set()
    assert scan_folder(stack.root / "prefect", hidden) == Counter()
    assert scan_folder(stack.root / "logs", hidden) == Counter()
