"""Label Studio on PostgreSQL: the stack starts it there, and it keeps the same contract as on SQLite."""

from __future__ import annotations

import stat
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psutil
import pytest
from pydantic import SecretStr

from deployments.local.home import DATABASE_URL_VARIABLE
from deployments.local.stack import Stack
from labelloop.errors import AccessError
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_connection import Connection
from tasks.clients.label_studio_database import open_postgresql
from tasks.clients.label_studio_orphans import Orphans
from tests.browser.answered import ANSWERED
from tests.browser.arrived import arrived
from tests.browser.labelling_page import a_browser, log_in
from tests.browser.opened import open_sample
from tests.builders.annotating import push, the_project
from tests.builders.chosen_round import choose, chosen_round
from tests.builders.naive_import import import_until_answered
from tests.builders.postgresql import label_studio_database, postgresql
from tests.builders.rows import hex_id
from tests.contract_suites.label_studio_server_suite import LabelStudioServerSuite
from tests.contract_suites.label_studio_suite import CONFIG
from tests.contract_suites.orphans_suite import OrphansSuite
from tests.fakes.lake import MemoryLake
from tests.fault_proxy import FaultProxy, Traffic

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster():
    with postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def own_stack(cluster, tmp_path_factory):
    """A stack whose Label Studio was given PostgreSQL once and is asked for again without."""
    stack = Stack(tmp_path_factory.mktemp("postgresql") / "stack")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_URL_VARIABLE, label_studio_database(cluster, "label_studio"))
        stack.up({"label-studio"})
    stack.up({"label-studio"})  # forgotten, it would be started again, on SQLite
    yield stack
    stack.down()


@pytest.fixture(scope="module")
def server(own_stack, s3):
    """Settings with that Label Studio, and the session's S3."""
    variables = own_stack.variables
    return s3.model_copy(
        update={
            "label_studio_url": variables["LABELLOOP_LABEL_STUDIO_URL"],
            "label_studio_token": SecretStr(variables["LABELLOOP_LABEL_STUDIO_TOKEN"]),
        }
    )


class TestLabelStudioOnPostgresql(LabelStudioServerSuite):
    """What the stages ask of Label Studio, on the database a team has."""


class TestOrphansOnPostgresql(OrphansSuite):
    """Rows that no API shows, found and cleared over the address the pipeline is given."""

    @pytest.fixture
    def open_database(self, own_stack):
        return partial(open_postgresql, own_stack.variables[DATABASE_URL_VARIABLE])


def test_a_deleted_task_leaves_the_files_of_its_table_once_its_space_is_freed(server, cluster, own_stack):
    client, gone, stays = connect_label_studio(server), uuid.uuid4().hex, uuid.uuid4().hex
    project = client.create_project({"title": "space", "label_config": CONFIG})
    made = client.import_tasks(project, [{"data": {"unit": name, "image": "s3://m/k"}} for name in (gone, stays)])
    client.delete_task(made[0])
    assert named_in_files(cluster, gone)
    Orphans(partial(open_postgresql, own_stack.variables[DATABASE_URL_VARIABLE])).free_space()
    assert not named_in_files(cluster, gone)
    assert named_in_files(cluster, stays)


@pytest.fixture(scope="module")
def page(server, media_bucket):
    """A page of somebody who is logged in there."""
    with a_browser() as browser:
        yield log_in(browser, connect_label_studio(server)).new_page()


@pytest.mark.parametrize("template", ["boxes-polygons", "near-duplicates"])
def test_what_somebody_answers_in_the_browser_arrives_as_on_sqlite(template, page, server, tmp_path):
    world, shown = open_sample(page, tmp_path, server, template)
    ANSWERED[template].act(shown)
    shown.submit()
    assert arrived(world) == ANSWERED[template].arrives


def named_in_files(cluster, name):
    """Whether the bytes of a name are in any file of any table."""
    cluster.run("psql", "-c", "CHECKPOINT", "label_studio")
    files = (cluster.folder / "data" / "base").rglob("*")
    return any(name.encode() in path.read_bytes() for path in files if path.is_file())


@pytest.fixture
def world(server, tmp_path):
    """A chosen round whose units are to be pushed to that server."""

    def of(n, **changes):
        world = chosen_round(tmp_path, n=n, lake=MemoryLake())
        world.label_studio = connect_label_studio(server.model_copy(update=changes))
        world.new_id = lambda: uuid.uuid4().hex  # or it would find the project of another test by the same marker
        return world

    return of


def units_at_rest(server, ls_project):
    """How often each unit is on the server, asked without a proxy."""
    return Counter(task.unit_id for task in connect_label_studio(server).changed_tasks(ls_project, None))


def test_through_a_network_that_fails_in_every_way_each_unit_arrives_once(server, world, record_property):
    faults = ("slow down", "lost", "unanswered", "half an answer", "silence")
    waiting = list(faults)
    traffic = Traffic(lambda _, request: waiting.pop(0) if waiting and "/import?" in request else None)
    with FaultProxy("Label Studio", server.label_studio_url, traffic) as proxy:
        pushed = world(2, label_studio_url=proxy.url, timeout_seconds=10)  # what is slow alone is not lost
        push(pushed)
        for number in range(1, len(faults)):
            choose(pushed, range(2 * number, 2 * number + 2), number=number + 1)
            push(pushed)
    assert len(traffic.struck) == len(faults)
    assert units_at_rest(server, the_project(pushed)) == {hex_id(unit): 1 for unit in range(2 * len(faults))}
    record_property("figure", f"push to PostgreSQL through {', '.join(faults)}: 0 doubles, 0 lost")


@pytest.mark.parametrize("fault", ["unanswered", "half an answer"])
def test_a_script_that_sends_again_through_the_same_network_leaves_doubles(server, fault, record_property):
    traffic = Traffic(lambda _, request: fault if "/import?" in request and not traffic.struck else None)
    tasks = [{"data": {"unit": hex_id(unit), "image": f"s3://media/{unit}.png"}} for unit in range(12)]
    with FaultProxy("Label Studio", server.label_studio_url, traffic) as proxy:
        client = connect_label_studio(server.model_copy(update={"label_studio_url": proxy.url}))
        project = client.create_project({"title": "by a script", "label_config": CONFIG})
        import_until_answered(client, project, tasks, 6)
    found = units_at_rest(server, project)
    assert sorted(found.values()) == [1] * 6 + [2] * 6
    record_property("figure", f"a script that sends again on PostgreSQL, {fault}: 6 of 12 tasks twice")


def test_a_server_killed_in_mid_import_and_started_again_gets_each_unit_once(server, world, own_stack, cluster):
    pushed, held_up = world(150), threading.Event()
    (running,) = [server for server in own_stack.status() if server.running]
    with ThreadPoolExecutor(1) as beside:
        killing = beside.submit(kill_in_mid_import, running.pid, cluster, held_up)
        pushed.wait = lambda _: (killing.result(), own_stack.up({"label-studio"}))
        assert held_up.wait(timeout=60)
        push(pushed)
    assert running.pid not in {server.pid for server in own_stack.status()}
    assert units_at_rest(server, the_project(pushed)) == {hex_id(unit): 1 for unit in range(150)}


def kill_in_mid_import(pid, cluster, held_up):
    """Kill Label Studio once its import waits for a table that is held up, and wait for its end."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'INSERT%prediction%'"
    url, process = cluster.url("label_studio"), psutil.Process(pid)
    with open_postgresql(url) as holding, open_postgresql(url) as watching:
        holding.run("BEGIN")
        holding.run("LOCK TABLE prediction IN SHARE MODE")
        held_up.set()
        while not watching.run(waiting):
            pass
        process.kill()
    process.wait(timeout=60)


def test_a_kind_of_token_that_is_not_allowed_is_told_with_what_to_do(server):
    legacy = server.label_studio_token.get_secret_value()
    with Connection(server.label_studio_url, legacy, 30).asking("issuing a personal token") as sdk:
        personal = sdk.tokens.create().token
    organisation = Connection(server.label_studio_url, personal, 30)

    def allow(legacy):
        with organisation.asking("saying which tokens are allowed") as sdk:
            sdk.jwt_settings.update(api_tokens_enabled=True, legacy_api_tokens_enabled=legacy, api_token_ttl_days=30)

    allow(legacy=False)
    try:
        with pytest.raises(AccessError, match="allows no legacy tokens"):
            connect_label_studio(server).find_project("any")
        changed = server.model_copy(update={"label_studio_token": SecretStr(personal)})
        assert connect_label_studio(changed).find_project("no such marker") is None
    finally:
        allow(legacy=True)


def test_its_rows_lie_in_postgresql_and_nowhere_else(server, cluster, own_stack):
    assert cluster.run("psql", "-Atc", "SELECT email FROM htx_user WHERE id = 1", "label_studio").strip()
    assert list(own_stack.root.rglob("*.sqlite3")) == []


def test_the_password_is_in_owner_only_files_and_in_no_list_of_processes(server, cluster, own_stack):
    holding = [
        path
        for path in own_stack.root.rglob("*")
        if path.is_file() and cluster.password.encode() in path.read_bytes()
    ]
    assert own_stack.root / "credentials.json" in holding
    assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}
    words = [word for process in psutil.process_iter() for word in command_line(process)]
    assert not [word for word in words if cluster.password in word]


def command_line(process):
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended
        return []
