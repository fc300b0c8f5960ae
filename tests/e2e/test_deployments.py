"""`deployments/prefect.yaml` on the real server: what it registers; runs from the UI and the command line at once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue

import pytest
from prefect import flow
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.settings import PREFECT_API_URL, temporary_settings

from deployments.demo import digits
from flows.table import FLOWS
from tasks.agreement import measure_agreement
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.lake import Lake
from tasks.clients.media import S3MediaStore
from tasks.clients.s3 import connect, storage_options
from tests.builders.annotating import at_odds
from tests.fakes.world import under_lease

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

SCHEDULES = {
    "weekly-batch": "0 6 * * 1",
    "nightly-agreement": "0 2 * * *",
    "retrain-check": "0 18 * * *",
    "sync": "5 * * * *",
    "erase": "*/15 * * * *",
    "erase-plan": None,
    "purge": "0 4 * * *",
    "erase-replay": None,
    "erasure-audit": "0 5 * * 0",
    "export": None,
    "refresh-tasks": None,
    "report": None,
    "janitor": "*/10 * * * *",
}
COMPLETED = "prefect.flow-run.Completed"
SPEC = """
name: digits
title: From two sides
media: {bucket: media, prefix: digits/, subject_id: {key: "digits/(?P<subject>[^/]+)/"}}
interface:
  questions:
    - {name: digit, prompt: "Which digit?", labels: [{value: "0"}, {value: "1"}, {value: "2"}]}
guidelines: {text: Choose the digit.}
sampling: {strategy: random, batch_size: 12}
overlap: {annotators: 2, maximum: 2}
annotators: {count: 2}
model: {source: none}
"""


@pytest.fixture(scope="module")
def deployed(stack, label_studio, worker):
    """The deployments by the name of their flow."""
    stack.deploy()
    with get_client(sync_client=True) as client:
        flow_names = {flow.id: flow.name for flow in client.read_flows()}
        return {flow_names[found.flow_id]: found for found in client.read_deployments()}


@pytest.fixture
def environment(tmp_path, stack, label_studio):
    """Variables of a run on a lake of its own, with the spec in place and images in the bucket."""
    (tmp_path / "digits.yaml").write_text(SPEC, encoding="utf-8")
    store = S3MediaStore(connect(label_studio))
    digits.upload(store, "media", lambda _: None, count=20)
    own = {"LABELLOOP_PROJECTS_DIR": str(tmp_path), "LABELLOOP_LAKE_URI": f"s3://labelloop-lake/{tmp_path.name}"}
    return {**stack.variables, **own}


def on_the_worker(deployment, environment) -> str:
    """Run a deployment as a person does in the UI; return the event it ends with."""
    variables = {"env": {name: environment[name] for name in ("LABELLOOP_PROJECTS_DIR", "LABELLOOP_LAKE_URI")}}

    def start():
        with get_client(sync_client=True) as client:
            client.create_flow_run_from_deployment(deployment.id, job_variables=variables)

    return asyncio.run(first_ending(deployment, start))[1].event


async def first_ending(deployment, act):
    """Act, and return what that gives together with the event that the next run of the deployment ends with."""
    endings = [f"prefect.flow-run.{state}" for state in ("Completed", "Failed", "Crashed", "Cancelled")]
    async with get_events_subscriber(filter=EventFilter(event=EventNameFilter(name=endings))) as subscriber:
        done = await asyncio.to_thread(act)
        whose = f"prefect.deployment.{deployment.id}"
        return done, await anext(e async for e in subscriber if whose in {resource.id for resource in e.related})


def beside_us(environment, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "deployments.cli.main", *words]
    everything = {**os.environ, **environment, "LABELLOOP_ENVIRONMENT_FILE": os.devnull}
    return subprocess.run(command, env=everything, capture_output=True, text=True, timeout=300)


@pytest.fixture
def typed(environment, labelloop, monkeypatch):
    """Run the command line in this process, which has been through its imports."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return labelloop


def the_batch(settings, environment):
    """Units, tasks in the lake, and tasks on the server; each unit must be there once."""
    lake, server = Lake(environment["LABELLOOP_LAKE_URI"], storage_options(settings)), connect_label_studio(settings)
    units = lake.table("batches", "digits").read()["unit_id"].to_pylist()
    tasks = lake.table("tasks", "digits").read().to_pylist()
    remote = list(server.changed_tasks(tasks[0]["ls_project"], None))
    return Counter(units), Counter(t["unit_id"] for t in tasks), Counter(t.unit_id for t in remote)


def test_every_flow_is_registered_with_its_schedule_and_says_what_it_does(deployed):
    assert set(deployed) == set(FLOWS) == set(SCHEDULES)
    crons = {name: [s.schedule.cron for s in found.schedules] for name, found in deployed.items()}
    assert crons == {name: [cron] if cron else [] for name, cron in SCHEDULES.items()}
    assert all(found.description for found in deployed.values())
    assert {name for name, found in deployed.items() if found.global_concurrency_limit.limit != 1} == set()


def test_every_parameter_of_every_form_is_described(deployed):
    parameters = {
        (name, key): field
        for name, found in deployed.items()
        for key, field in found.parameter_openapi_schema["properties"].items()
    }
    assert [place for place, field in parameters.items() if not field.get("description")] == []
    assert parameters["weekly-batch", "project"]["pattern"].startswith("^[a-z]")
    minutes = parameters["janitor", "silent_minutes"]
    assert (minutes["minimum"], minutes["maximum"]) == (2, 1440)


def test_the_form_of_the_weekly_batch_has_titles_explanations_and_bounds(deployed):
    options = deployed["weekly-batch"].parameter_openapi_schema["definitions"]["BatchOptions"]["properties"]
    assert set(options) == {"batch_size", "strategy", "even_if_open"}
    assert all(field["title"] and field["description"] for field in options.values())
    assert options["batch_size"]["anyOf"][0] == {"type": "integer", "minimum": 0, "maximum": 100_000}


def test_a_run_from_the_ui_and_one_from_the_command_line_make_one_batch_and_a_third_none(
    deployed, environment, typed, label_studio
):
    weekly = ("run", "weekly-batch", "-p", "project=digits")
    with ThreadPoolExecutor(1) as aside:
        by_hand = aside.submit(beside_us, environment, *weekly)
        assert on_the_worker(deployed["weekly-batch"], environment) == COMPLETED
    assert by_hand.result().returncode == 0, by_hand.result().stderr
    units, tasks, remote = before = the_batch(label_studio, environment)
    assert (len(units), set(remote.values())) == (12, {1})
    assert units == tasks == remote
    assert typed(*weekly)[0] == 0
    assert the_batch(label_studio, environment) == before


def test_a_recorded_erasure_request_starts_a_run(deployed, typed):
    wanted = json.dumps({"subjects": ["canary-4711"], "verification": "letter"})
    (code, _, error), ended = asyncio.run(
        first_ending(deployed["erase"], lambda: typed("erase", "request", "digits", stdin=wanted))
    )
    assert code == 0, error
    with get_client(sync_client=True) as client:
        started = client.read_flow_run(ended.resource.id.removeprefix("prefect.flow-run."))
    assert started.created_by.type == "AUTOMATION"
    assert (ended.event, started.parameters) == (COMPLETED, {"project": "digits"})


@pytest.fixture
def leads(monkeypatch, prefect):
    """What is sent to the webhook of the leads, whose block is the one that settings name."""
    letters = Queue()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self):
            letters.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Webhook) as server, ThreadPoolExecutor(1) as beside:
        beside.submit(server.serve_forever)
        place, text = f"http://127.0.0.1:{server.server_port}", {"text": "{{subject}}: {{body}}"}
        CustomWebhookNotificationBlock(name="leads", url=place, json_data=text).save("leads", overwrite=True)
        monkeypatch.setenv("LABELLOOP_NOTIFICATION_BLOCK", "custom-webhook/leads")
        yield letters
        server.shutdown()


def test_agreement_below_the_alarm_starts_a_report_and_calls_people(deployed, leads, typed, tmp_path):
    for _ in range(2):  # the second finds the automation that the first made
        assert typed("alarm")[0] == 0
    world = at_odds(tmp_path)

    @flow
    def night():
        return under_lease(world, "agreement", measure_agreement)

    measured, ended = asyncio.run(first_ending(deployed["report"], night))
    assert measured.counts["alarms"] == 1
    with get_client(sync_client=True) as client:
        started = client.read_flow_run(ended.resource.id.removeprefix("prefect.flow-run."))
    assert (started.created_by.type, ended.event) == ("AUTOMATION", COMPLETED)
    told = leads.get(timeout=60)["text"]
    assert told.startswith("Annotators of digits disagree: Agreement on digit is -0.")
    assert "below the alarm at 0.4" in told
    assert leads.empty()


@pytest.mark.usefixtures("prefect")
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "no notification block is named"),
        ({"LABELLOOP_NOTIFICATION_BLOCK": "leads"}, "LABELLOOP_NOTIFICATION_BLOCK: String should match pattern"),
        ({"LABELLOOP_NOTIFICATION_BLOCK": "slack-webhook/nobody"}, "Prefect has no block 'slack-webhook/nobody'"),
        ({"LABELLOOP_NOTIFICATION_BLOCK": "secret/kept"}, "the block 'secret/kept' cannot notify"),
    ],
    ids=["none", "half", "absent", "no voice"],
)
def test_a_block_that_cannot_call_anybody_is_refused(typed, monkeypatch, settings, told):
    Secret(value="kept").save("kept", overwrite=True)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    code, _, error = typed("alarm")
    assert (code, told in error) == (2, True), error


def test_an_audit_that_finds_a_request_overdue_starts_an_erasure(deployed, typed):
    wanted = {"subjects": ["canary-4712"], "verification": "letter", "received_at": "2026-01-02"}
    with temporary_settings(restore_defaults={PREFECT_API_URL}):  # nobody is told of it
        assert typed("erase", "request", "digits", stdin=json.dumps(wanted))[0] == 0
    (code, _, error), ended = asyncio.run(first_ending(deployed["erase"], lambda: typed("erase", "verify", "digits")))
    assert code == 1
    assert "overdue 1" in error
    with get_client(sync_client=True) as client:
        started = client.read_flow_run(ended.resource.id.removeprefix("prefect.flow-run."))
    assert (started.created_by.type, ended.event) == ("AUTOMATION", COMPLETED)
