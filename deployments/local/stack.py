"""The local stack as a whole: bring its servers up, see how they are, end them, deploy the flows to it.

Safe to repeat: what runs is kept, what has died or has outdated settings is started again, and only
processes this stack has started are ever ended.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from deployments.local import owner_only, process
from deployments.local.credentials import Credentials
from deployments.local.deploy import deploy
from deployments.local.home import DEFAULT_ROOT, Home, open_home, read_home
from deployments.local.label_studio_server import label_studio
from deployments.local.object_store import object_store
from deployments.local.prefect_server import prefect_server, worker
from deployments.local.progress import Display, Silent
from deployments.local.server import Server
from deployments.local.variables import logins, pipeline_variables, prefect_variables
from labelloop.errors import InputError, UnavailableError

# Chains start at the same time; within a chain each server needs the one before it.
CHAINS = (("s3",), ("label-studio",), ("prefect", "worker"))
SERVICES = tuple(name for chain in CHAINS for name in chain)
# The worker ends first: one that loses its server hangs on, and its flows could not report their state. The others
# need nothing of each other's; an object store that has begun to keep house takes twelve seconds.
_ENDS = (("worker",), ("prefect", "label-studio", "s3"))


@dataclasses.dataclass(frozen=True)
class ServerStatus:
    """How a server is: `running` if its process lives, `healthy` if it also answers."""

    name: str
    running: bool
    healthy: bool
    url: str
    pid: int | None
    log: str


class Stack:
    """The servers in one directory, `.local` of the checkout unless a test asks for its own."""

    def __init__(self, root: Path = DEFAULT_ROOT, *, display: Display | None = None) -> None:
        self.root = root.resolve()
        self._display = display or Silent()
        # Kept while this program lives, so that a server it has started can be reaped.
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def environment_file(self) -> Path:
        """The owner-only file with every variable the pipeline needs."""
        return self.root / "env"

    @property
    def logins_file(self) -> Path:
        """The owner-only file with addresses and passwords for a person."""
        return self.root / "logins"

    @property
    def credentials(self) -> Credentials:
        """The credentials of the servers; the stack must have been up once."""
        return read_home(self.root).credentials

    @property
    def variables(self) -> dict[str, str]:
        """Every variable the pipeline needs to work on this stack; it must have been up once."""
        return pipeline_variables(read_home(self.root))

    def up(self, services: Iterable[str] = SERVICES) -> list[ServerStatus]:
        """Bring the servers up, wait until they are healthy and return how they are.

        Raises:
            InputError: there is no such service.
            ConfigurationError: a server is not installed.
            UnavailableError: a server ended or did not become healthy; names its log file.
        """
        wanted = frozenset(services)
        if unknown := wanted - set(SERVICES):
            raise InputError(f"unknown service {min(unknown)!r}", remedy=f"choose from {', '.join(SERVICES)}")
        with self._exclusively(), open_home(self.root, self._running()) as home:
            servers = self._servers(home)
            owner_only.write_variables(self.environment_file, pipeline_variables(home))
            owner_only.write_text(self.logins_file, logins(home))
            chains = [[servers[name] for name in chain if name in wanted] for chain in CHAINS]
            with ThreadPoolExecutor(len(chains)) as pool:
                list(pool.map(lambda chain: self._bring_up(home, chain), chains))
            return self._statuses(home, wanted)

    def status(self) -> list[ServerStatus]:
        """Return how every server is, without starting anything; empty where no stack was ever started."""
        return self._statuses(read_home(self.root), SERVICES) if self.environment_file.exists() else []

    def down(self) -> None:
        """End the servers of this stack, the worker first; others are left alone."""
        if not self.environment_file.exists():
            return
        with self._exclusively():
            home = read_home(self.root)
            servers = self._servers(home)
            for together in _ENDS:
                with ThreadPoolExecutor(len(together)) as pool:
                    list(pool.map(lambda name: self._end(home, servers[name]), together))

    def deploy(self) -> bool:
        """Register the flows with the Prefect server; False when nothing has changed since the last time."""
        with self._exclusively():
            home = read_home(self.root)
            self._display.begin("deployments")
            changed = deploy(self.root, pipeline_variables(home), home.log("deploy"))
            self._display.finish("deployments", "registered" if changed else "unchanged")
        return changed

    def _servers(self, home: Home) -> dict[str, Server]:
        servers = (
            object_store(home),
            label_studio(home),
            prefect_server(home, prefect_variables(home)),
            worker(home, pipeline_variables(home)),
        )
        return {server.name: server for server in servers}

    def _running(self) -> set[str]:
        return {name for name in SERVICES if self._identity(name)}

    def _identity(self, name: str) -> process.Identity | None:
        """Return the process of a server, None when it does not run."""
        identity = process.recall(self.root / "run" / f"{name}.json")
        return identity if identity and identity.is_running else None

    def _bring_up(self, home: Home, chain: list[Server]) -> None:
        for server in chain:
            identity = self._identity(server.name)
            if identity and identity.settings_digest != server.settings_digest:
                self._end(home, server)
                identity = None
            self._display.begin(server.name)
            try:
                identity = identity or self._start(home, server)
                self._await_health(home, server, identity)
            except UnavailableError:
                self._display.finish(server.name, f"failed, see {home.log(server.name)}")
                raise
            self._display.finish(server.name, f"ready at {server.url}")

    def _start(self, home: Home, server: Server) -> process.Identity:
        server.prepare()
        identity, child = process.start(
            server.command, server.environment, server.directory, home.log(server.name), server.settings_digest
        )
        if crashed := self._children.get(server.name):
            crashed.poll()  # or it would stay a zombie
        self._children[server.name] = child
        process.remember(identity, home.pid_file(server.name))
        return identity

    def _await_health(self, home: Home, server: Server, identity: process.Identity) -> None:
        deadline = time.monotonic() + server.boot_seconds
        while not server.is_healthy():
            if not identity.is_running:
                raise UnavailableError(f"{server.name} ended while starting", remedy=f"read {home.log(server.name)}")
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"{server.name} is not healthy after {server.boot_seconds:.0f} s",
                    remedy=f"read {home.log(server.name)}",
                )
            time.sleep(0.2)
        server.settle()

    def _end(self, home: Home, server: Server) -> None:
        identity = process.recall(home.pid_file(server.name))
        if identity is None:
            return
        process.stop(identity, server.end_seconds)
        home.pid_file(server.name).unlink()
        child = self._children.get(server.name)
        if child and child.pid == identity.pid:
            child.wait()

    def _statuses(self, home: Home, names: Iterable[str]) -> list[ServerStatus]:
        servers = self._servers(home)
        return [self._status(home, servers[name]) for name in SERVICES if name in set(names)]

    def _status(self, home: Home, server: Server) -> ServerStatus:
        identity = self._identity(server.name)
        return ServerStatus(
            name=server.name,
            running=identity is not None,
            healthy=identity is not None and server.is_healthy(),
            url=server.url,
            pid=identity.pid if identity else None,
            log=str(home.log(server.name)),
        )

    @contextlib.contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Hold the stack's lock: two commands at the same instant come one after the other."""
        owner_only.make_directory(self.root)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._display.begin("another command on this stack")
                fcntl.flock(lock, fcntl.LOCK_EX)
                self._display.finish("another command on this stack", "has ended")
            yield
