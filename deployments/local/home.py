"""Where one stack lives: its directory, the ports it was given and the credentials of its servers."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deployments.local import owner_only, ports
from deployments.local.credentials import Credentials, open_credentials

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_ROOT = CHECKOUT / ".local"
DATABASE_URL_VARIABLE = "LABELLOOP_LABEL_STUDIO_DATABASE_URL"

# The S3 port comes with those SeaweedFS opens beside it; the worker's one only answers health questions.
PORT_NAMES = {
    "s3": ("s3", "master", "volume", "filer", "admin"),
    "label-studio": ("label-studio",),
    "prefect": ("prefect",),
    "worker": ("worker",),
}


@dataclasses.dataclass(frozen=True)
class Home:
    """The directory, ports and credentials of a stack."""

    root: Path
    ports: Mapping[str, int]
    credentials: Credentials

    def url(self, port_name: str) -> str:
        """Return the loopback address of a port."""
        return f"http://{ports.LOOPBACK}:{self.ports[port_name]}"

    def log(self, server: str) -> Path:
        """Return the log file of a server."""
        return self.root / "logs" / f"{server}.log"

    def pid_file(self, server: str) -> Path:
        """Return the file that remembers the process of a server."""
        return self.root / "run" / f"{server}.json"


@contextmanager
def open_home(root: Path, running: set[str]) -> Iterator[Home]:
    """Lend the home in `root`, made where it is missing, for as long as servers are started.

    Servers that do not run get new ports where somebody else took theirs.
    """
    for directory in (root, root / "logs", root / "run"):
        owner_only.make_directory(directory)
    earlier = _remembered_ports(root)
    kept = {name: earlier[name] for server in running for name in PORT_NAMES[server]}
    stopped = [name for server, names in PORT_NAMES.items() if server not in running for name in names]
    with ports.assigned(stopped, earlier) as given:
        assigned = {**kept, **given}
        owner_only.write_text(root / "ports.json", json.dumps(assigned, indent=1))
        yield Home(root, assigned, open_credentials(root / "credentials.json", _database_url(root)))


def read_home(root: Path) -> Home:
    """Return the home that `open_home` made in `root`; changes nothing."""
    return Home(root, _remembered_ports(root), open_credentials(root / "credentials.json"))


def _database_url(root: Path) -> str:
    """Return the database address this start was given, "" for none.

    Every command takes over the variables of the default stack; its database is not for a stack beside it.
    """
    given = os.environ.get(DATABASE_URL_VARIABLE, "")
    default = owner_only.read_variables(DEFAULT_ROOT / "env").get(DATABASE_URL_VARIABLE)
    return "" if given == default and root != DEFAULT_ROOT else given


def _remembered_ports(root: Path) -> dict[str, int]:
    path = root / "ports.json"
    return json.loads(path.read_text()) if path.exists() else {}
