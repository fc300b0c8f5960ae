"""A PostgreSQL of a test's own: on loopback, with a random password, in a folder that goes with it.

Debian's programs, found by `make setup`. They refuse to work for root, so then they run as Debian's user for them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deployments.local import owner_only, ports
from deployments.local.install import postgresql_programs
from deployments.local.label_studio_server import OFFLINE, database_variables
from deployments.local.label_studio_template import migrate, template_path

_USER = "labelloop"
_MAKING = ("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync")
_OWNER = "postgres" if os.geteuid() == 0 else None
# Nothing of it outlives the test, so nothing has to reach the disk.
_SETTINGS = """
listen_addresses = '{host}'
port = {port}
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
"""


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL that runs."""

    folder: Path
    port: int
    password: str = field(repr=False)

    def url(self, database: str) -> str:
        """Return the address of a database, password included."""
        return f"postgresql://{_USER}:{self.password}@{ports.LOOPBACK}:{self.port}/{database}"

    def run(self, program: str, *words: str) -> str:
        """Run a client program as the owner of all databases and return what it printed."""
        who = {"PGHOST": ports.LOOPBACK, "PGPORT": str(self.port), "PGUSER": _USER, "PGPASSWORD": self.password}
        command = [str(_programs() / program), *words]
        return subprocess.run(command, env=who, check=True, capture_output=True, text=True).stdout


@contextmanager
def postgresql() -> Iterator[Cluster]:
    """Start a PostgreSQL for the time of a `with` block."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder, password = Path(name), secrets.token_urlsafe(16)
        data, secret = folder / "data", folder / "password"
        owner_only.write_text(secret, password)
        for path in (folder, secret) if _OWNER else ():
            shutil.chown(path, _OWNER)
        _as_owner("initdb", "--pgdata", data, "--username", _USER, "--pwfile", secret, *_MAKING)
        with ports.assigned(["postgresql"], {}) as given:
            cluster = Cluster(folder, given["postgresql"], password)
            with (data / "postgresql.conf").open("a") as settings:
                settings.write(_SETTINGS.format(host=ports.LOOPBACK, port=cluster.port, folder=folder))
            _as_owner("pg_ctl", "--pgdata", data, "--wait", "--log", folder / "log", "start")
        try:
            yield cluster
        finally:
            # The process is the one this folder names, no other.
            _as_owner("pg_ctl", "--pgdata", data, "--wait", "--mode", "immediate", "stop")


@contextmanager
def chosen_database() -> Iterator[str]:
    """Lend the address of the database that a run of tests is asked to have for Label Studio; "" for SQLite."""
    if os.environ.get("LABELLOOP_TEST_DATABASE", "sqlite") == "sqlite":
        yield ""
        return
    with postgresql() as cluster:
        yield label_studio_database(cluster, "label_studio")


def label_studio_database(cluster: Cluster, name: str) -> str:
    """Return the address of a new database as Label Studio's migrations leave it, with nobody in it."""
    cluster.run("createdb", name)
    cluster.run("psql", "--quiet", "--output", os.devnull, "--file", str(migrated()), name)
    return cluster.url(name)


def migrated() -> Path:
    """Return a script of what the migrations leave: they take a minute, so it is kept beside SQLite's template."""
    script = template_path(f".{_programs().parent.name}.sql")
    with script.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs may begin at once, and one beside its own tests
        if not script.exists():
            with postgresql() as scratch:
                _migrate(scratch, script)
    return script


def _migrate(cluster: Cluster, script: Path) -> None:
    cluster.run("createdb", "migrated")
    data = {"LABEL_STUDIO_BASE_DATA_DIR": str(owner_only.make_directory(cluster.folder / "migrating"))}
    migrate({**OFFLINE, **database_variables(cluster.url("migrated")), **data}, cluster.folder / "migrating.log")
    owner_only.write_text(script, cluster.run("pg_dump", "--no-owner", "migrated"))


def _as_owner(program: str, *words: str | Path) -> None:
    command = [str(_programs() / program), *map(str, words)]
    others = {"user": _OWNER, "group": _OWNER, "extra_groups": []} if _OWNER else {}
    # Its output goes nowhere: the server would inherit it, and a pipe would be read for as long as that lives.
    subprocess.run(command, env={"LC_ALL": "C"}, cwd="/", stdout=subprocess.DEVNULL, check=True, **others)


def _programs() -> Path:
    found = postgresql_programs()
    if found is None:
        pytest.fail("PostgreSQL is not installed; run `make setup` as root, or install it")
    return found
