"""Label Studio on PostgreSQL: the stack starts it there, and it keeps the same contract as on SQLite."""

from __future__ import annotations

import stat
from functools import partial

import psutil
import pytest
from pydantic import SecretStr

from deployments.local.home import DATABASE_URL_VARIABLE
from deployments.local.stack import Stack
from tasks.clients.label_studio_database import open_postgresql
from tests.builders.postgresql import label_studio_database, postgresql
from tests.contract_suites.label_studio_server_suite import LabelStudioServerSuite
from tests.contract_suites.orphans_suite import OrphansSuite

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


def test_its_rows_lie_in_postgresql_and_nowhere_else(server, cluster, own_stack):
    tasks = cluster.run("psql", "-Atc", "SELECT count(*) FROM task", "label_studio")
    assert int(tasks) > 0
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
