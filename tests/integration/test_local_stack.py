"""The local stack with its real servers: what it starts, keeps, ends and leaves alone."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys

import httpx
import psutil
import pytest

from deployments.local import process
from deployments.local.home import PORT_NAMES
from deployments.local.ports import GRPC_OFFSET
from deployments.local.server import Server
from deployments.local.stack import Stack
from labelloop.errors import InputError, UnavailableError
from tasks.clients.s3 import connect

pytestmark = pytest.mark.integration


def states(stack):
    return {server.name: (server.running, server.healthy) for server in stack.status()}


def processes(stack):
    leaders = [psutil.Process(server.pid) for server in stack.status() if server.pid]
    return [member for leader in leaders for member in (leader, *leader.children(recursive=True))]


def label_studio_of(variables):
    """The API of a stack's Label Studio, as its admin."""
    headers = {"Authorization": f"Token {variables['LABELLOOP_LABEL_STUDIO_TOKEN']}"}
    return httpx.Client(base_url=variables["LABELLOOP_LABEL_STUDIO_URL"], headers=headers, timeout=60)


def command_line(*words):
    return subprocess.run([sys.executable, "-m", "deployments.cli.main", *words], capture_output=True, text=True)


@pytest.fixture(scope="module")
def own_stack(tmp_path_factory):
    """A stack of this file's own; its tests leave it up or down as they please."""
    stack = Stack(tmp_path_factory.mktemp("own"))
    yield stack
    stack.down()


@pytest.fixture
def s3_stack(own_stack):
    own_stack.up({"s3"})
    return own_stack


@pytest.fixture(scope="module")
def whole_stack(stack):
    stack.up()
    return stack


def test_after_up_every_server_is_healthy(whole_stack):
    assert set(states(whole_stack).values()) == {(True, True)}


def test_a_second_up_keeps_the_processes_that_run(whole_stack):
    before = {server.pid for server in whole_stack.status()}
    whole_stack.up()
    assert {server.pid for server in whole_stack.status()} == before


def test_everything_listens_on_loopback_only(whole_stack):
    listening = [
        connection.laddr.ip
        for member in processes(whole_stack)
        for connection in member.net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= len(PORT_NAMES)
    assert set(listening) == {"127.0.0.1"}


def test_no_secret_shows_in_the_list_of_processes(whole_stack):
    secrets = [value for name, value in vars(whole_stack.credentials).items() if value and "email" not in name]
    lines = " ".join(" ".join(member.cmdline()) for member in processes(whole_stack))
    assert not [secret for secret in secrets if secret in lines]


def test_everything_in_the_directory_is_closed_to_others(whole_stack):
    assert stat.S_IMODE(whole_stack.root.stat().st_mode) == 0o700
    for name in ("env", "logins", "credentials.json", "seaweedfs.options"):
        assert stat.S_IMODE((whole_stack.root / name).stat().st_mode) == 0o600


def test_label_studio_reaches_the_local_object_store_and_nothing_outside_loopback(whole_stack):
    variables = whole_stack.variables
    label_studio = label_studio_of(variables)
    project = label_studio.post("/api/projects/", json={"title": "guard"}).json()["id"]
    storage = {
        "project": project,
        "bucket": "media",
        "region_name": variables["LABELLOOP_S3_REGION"],
        "aws_access_key_id": variables["LABELLOOP_S3_ACCESS_KEY"],
        "aws_secret_access_key": variables["LABELLOOP_S3_SECRET_KEY"],
    }
    endpoints = (variables["LABELLOOP_S3_ENDPOINT"], "http://169.254.169.254", "http://10.0.0.1", "http://192.0.2.1")
    answers = [
        label_studio.post("/api/storages/s3/validate", json={**storage, "s3_endpoint": endpoint}).status_code
        for endpoint in endpoints
    ]
    label_studio.delete(f"/api/projects/{project}/")
    assert answers == [200, 403, 403, 403]


def test_label_studio_takes_no_user_without_an_invite_link(whole_stack):
    visitor = httpx.Client(timeout=30)
    page = f"{whole_stack.variables['LABELLOOP_LABEL_STUDIO_URL']}/user/signup/"
    visitor.get(page)
    form = {
        "csrfmiddlewaretoken": visitor.cookies["csrftoken"],
        "email": "stranger@example.org",
        "password": "a-long-password",
    }
    assert visitor.post(page, data=form, headers={"Referer": page}).status_code == 403


def test_the_label_studio_log_names_no_object(whole_stack):
    label_studio_of(whole_stack.variables).get("/tasks/1/resolve/", params={"fileuri": "bmFtZW9mYW5vYmplY3Q="})
    log = (whole_stack.root / "logs" / "label-studio.log").read_text()
    assert "/tasks/1/resolve/" in log
    assert "bmFtZW9mYW5vYmplY3Q" not in log


def test_prefect_asks_for_the_password(whole_stack):
    url = whole_stack.variables["PREFECT_API_URL"]
    password = tuple(whole_stack.variables["PREFECT_API_AUTH_STRING"].split(":", 1))
    assert httpx.get(f"{url}/admin/version", timeout=30).status_code == 401
    assert httpx.get(f"{url}/admin/version", auth=password, timeout=30).status_code == 200


def test_after_a_crash_only_the_dead_server_is_started_again(s3_stack):
    crashed = s3_stack.status()[0].pid
    endpoint = s3_stack.variables["LABELLOOP_S3_ENDPOINT"]
    os.kill(crashed, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(crashed)] if psutil.pid_exists(crashed) else [], timeout=60)
    s3_stack.up({"s3"})
    assert s3_stack.status()[0].pid != crashed
    assert s3_stack.variables["LABELLOOP_S3_ENDPOINT"] == endpoint


def test_down_ends_the_servers_and_a_second_down_does_nothing(s3_stack):
    (pid,) = [server.pid for server in s3_stack.status() if server.pid]
    s3_stack.down()
    assert not psutil.pid_exists(pid)
    s3_stack.down()
    assert set(states(s3_stack).values()) == {(False, False)}


def test_the_object_store_leaves_nothing_in_the_temporary_folder(own_stack, tmp_path, monkeypatch):
    own_stack.down()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    own_stack.up({"s3"})
    own_stack.down()
    assert list(tmp_path.iterdir()) == []


def test_down_leaves_a_process_alone_that_has_got_the_id_of_a_server(s3_stack):
    foreign = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        pid_file = s3_stack.root / "run" / "s3.json"
        ours = process.recall(pid_file)
        pid_file.write_text(json.dumps({**vars(ours), "pid": foreign.pid}))
        s3_stack.down()
        assert foreign.poll() is None
        process.remember(ours, pid_file)
    finally:
        foreign.kill()
        foreign.wait()


def test_what_a_server_leaves_behind_ends_with_it(tmp_path):
    os.mkfifo(tmp_path / "born")
    command = ("sh", "-c", "sleep 600 & echo $! > born; exec sleep 601")
    identity, child = process.start(command, os.environ, tmp_path, tmp_path / "log", "")
    orphan = psutil.Process(int((tmp_path / "born").read_text()))
    process.stop(identity, patience_seconds=60)
    child.wait()
    _, alive = psutil.wait_procs([orphan], timeout=60)
    assert not alive


def test_a_port_somebody_else_took_is_replaced(s3_stack):
    s3_stack.down()
    earlier = int(s3_stack.variables["LABELLOOP_S3_ENDPOINT"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", earlier + GRPC_OFFSET)):
        s3_stack.up({"s3"})
    assert states(s3_stack)["s3"] == (True, True)
    assert not s3_stack.variables["LABELLOOP_S3_ENDPOINT"].endswith(f":{earlier}")


def test_a_server_that_ends_at_once_is_reported_with_its_log_file(own_stack, monkeypatch):
    own_stack.down()
    broken = Server("s3", "http://127.0.0.1:9", "/", ("false",), {}, own_stack.root, boot_seconds=30)
    monkeypatch.setattr("deployments.local.stack.object_store", lambda _: broken)
    with pytest.raises(UnavailableError, match=r"s3 ended while starting.*logs/s3\.log"):
        own_stack.up({"s3"})


def test_an_unknown_service_is_refused_by_name(own_stack):
    with pytest.raises(InputError, match="'redis'"):
        own_stack.up({"redis"})


def test_the_buckets_are_there_and_media_keeps_versions(s3):
    client = connect(s3)
    names = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
    assert {"labelloop-lake", "labelloop-vault", "media"} <= names
    assert client.get_bucket_versioning(Bucket="media")["Status"] == "Enabled"


def test_status_says_in_json_and_by_exit_code_that_a_server_is_missing(s3_stack):
    answer = command_line("status", "--root", str(s3_stack.root), "--json")
    healthy = {server["name"] for server in json.loads(answer.stdout) if server["healthy"]}
    assert (answer.returncode, healthy) == (1, {"s3"})


def test_the_flows_are_registered_once_and_not_again_while_nothing_changes(whole_stack):
    whole_stack.deploy()
    assert not whole_stack.deploy()
    url, password = whole_stack.variables["PREFECT_API_URL"], whole_stack.variables["PREFECT_API_AUTH_STRING"]
    credentials = tuple(password.split(":", 1))
    answer = httpx.get(f"{url}/deployments/name/weekly-batch/digits", auth=credentials, timeout=60)
    assert answer.json()["work_pool_name"] == "labelloop"
