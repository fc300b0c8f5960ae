"""Registering the flows of `deployments/prefect.yaml` with the Prefect server of the local stack."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from deployments.local import owner_only
from deployments.local.home import CHECKOUT
from deployments.local.server import inherited_environment
from labelloop.errors import UnavailableError

PREFECT_FILE = CHECKOUT / "deployments" / "prefect.yaml"


def deploy(root: Path, variables: Mapping[str, str], log: Path) -> bool:
    """Register every deployment, schedules paused; False when the server already has them all as they are now.

    `variables` say which server. The digest covers the deployment file and the modules that define the
    flows and their parameters, and lies beside the server's database, so that both go together.

    Raises:
        UnavailableError: a deployment was refused; names the log file.
    """
    record = root / "prefect" / "deployed.digest"
    digest = _digest()
    if record.exists() and record.read_text() == digest:
        return False
    _prefect(variables, log, "deploy", "--all", "--prefect-file", str(PREFECT_FILE))
    # On somebody's own machine nothing should start by itself; `schedule resume --all` switches it on.
    _prefect(variables, log, "deployment", "schedule", "pause", "--all")
    owner_only.write_text(record, digest)
    return True


def _prefect(variables: Mapping[str, str], log: Path, *words: str) -> None:
    with log.open("ab") as output:
        ending = subprocess.run(  # noqa: S603 (our own constants)
            (sys.executable, "-m", "prefect", "--no-prompt", *words),
            env=inherited_environment() | dict(variables),
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ending.returncode:
        raise UnavailableError("the flows could not be deployed", remedy=f"read {log}")


def _digest() -> str:
    """Return the digest of all that decides what a deployment looks like."""
    sources = (PREFECT_FILE, *sorted((CHECKOUT / "flows").rglob("*.py")))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in sources)).hexdigest()
