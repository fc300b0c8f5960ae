"""The command line, and the real servers of a test run: one stack of its own, with those that chosen tests ask for.

`s3`, `label_studio` and `prefect` give the settings of the stack with that server up; `stack` is the stack itself.
With `LABELLOOP_TEST_DATABASE=postgresql` its Label Studio has a PostgreSQL of the run's own, SQLite otherwise.
Run without xdist: each of its processes would start servers of its own.
"""

from __future__ import annotations

import io
import json
import sys

import pytest

from deployments.cli import environment
from deployments.cli.main import main
from deployments.local import owner_only
from deployments.local.credentials import open_credentials
from deployments.local.stack import Stack
from tests.builders.postgresql import chosen_database

_SERVERS = {"label_studio": "label-studio", "prefect": "prefect", "worker": "worker"}  # by their fixture


def pytest_ignore_collect(collection_path, config):
    """Leave out a module of slow tests before it is imported where slow tests are left out."""
    if config.option.markexpr == "not slow" and collection_path.suffix == ".py":
        return "\npytestmark = pytest.mark.slow\n" in collection_path.read_text() or None
    return None


def pytest_terminal_summary(terminalreporter):
    """Print the figures that tests recorded by `record_property("figure", ...)`."""
    passed = terminalreporter.stats.get("passed", [])
    figures = sorted(str(told) for report in passed for name, told in report.user_properties if name == "figure")
    if figures:
        terminalreporter.section("figures")
        terminalreporter.write_line("\n".join(figures))


@pytest.fixture
def labelloop(tmp_path, monkeypatch, capsys):
    """Run the command line in an empty folder without any setting: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(environment.ENVIRONMENT_FILE_VARIABLE, str(tmp_path / "no-such-file"))

    def run(*words, stdin=""):
        monkeypatch.setattr(sys, "argv", ["labelloop", *map(str, words)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        try:
            main()
            code = 0
        except SystemExit as ending:
            code = ending.code or 0
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    """A stack nobody else uses; its servers end with the run."""
    from tests.builders.settings import KEY

    stack = Stack(tmp_path_factory.mktemp("stack"))
    with chosen_database() as address:
        # By a key of its own each run would draw other audit units.
        known = {"suppression_keys": json.dumps({"k1": KEY})}
        owner_only.write_text(stack.root / "credentials.json", json.dumps(known))
        open_credentials(stack.root / "credentials.json", address)
        yield stack
        stack.down()


@pytest.fixture(scope="session")
def s3(stack, request):
    """Settings of the stack with its S3 server up (3 s), and beside it all others that any chosen test asks for."""
    asked = {fixture for item in request.session.items for fixture in getattr(item, "fixturenames", ())}
    stack.up({"s3"} | {server for fixture, server in _SERVERS.items() if fixture in asked})
    return _settings(stack)


@pytest.fixture(scope="session")
def label_studio(stack, s3):
    """Settings of the stack with S3 and Label Studio up (15 s, a minute more without a template)."""
    stack.up({"label-studio"})
    return s3


@pytest.fixture(scope="session")
def media_bucket(s3):
    """The name of the bucket on that S3 server which tests keep their media in."""
    from tasks.clients.s3 import connect

    client = connect(s3)
    if "media" not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:  # the demo makes it too
        client.create_bucket(Bucket="media")
    return "media"


@pytest.fixture(scope="session")
def prefect(stack, s3):
    """Settings of the stack with its Prefect server up (25 s); flows run in this process report to it."""
    stack.up({"prefect"})
    from prefect.events.worker import EventsWorker
    from prefect.logging.configuration import setup_logging
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

    variables = stack.variables
    server = {
        PREFECT_API_URL: variables["PREFECT_API_URL"],
        PREFECT_API_AUTH_STRING: variables["PREFECT_API_AUTH_STRING"],
    }
    with temporary_settings(updates=server):
        setup_logging()  # here, or it would go on writing to what captures the output of the first test with a flow
        yield s3
        # What is still to be told would otherwise be tried for a minute at exit, when the server is gone.
        APILogWorker.drain_all(timeout=30)
        EventsWorker.drain_all(timeout=30)


@pytest.fixture(scope="session")
def worker(stack, prefect):
    """Settings of the stack with the Prefect server and a worker for its deployments up."""
    stack.up({"prefect", "worker"})
    return prefect


@pytest.fixture
def stack_environment(stack, monkeypatch):
    """The environment of a flow on the stack, for tests that start processes or read settings from it."""
    stack.up({"s3"})
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)


def _settings(stack):
    from tasks.clients.settings import load_settings

    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.variables.items():
            patch.setenv(name, value)
        return load_settings()
