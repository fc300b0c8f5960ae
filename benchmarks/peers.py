"""Other packages, measured in the same run on the same arrays: in an environment and a process of their own.

`benchmarks/peers.in` names them, `make lock` locks them; nothing of the product can import them.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from deployments.local.install import CHECKOUT, make_environment

_ENVIRONMENT = ".venv-bench"
_SCRIPTS = Path(__file__).parent / "peer_scripts"


def install() -> None:
    """Make the environment of the peers, or bring it up to date; called with the Python that has pip."""
    make_environment(_ENVIRONMENT, CHECKOUT / "benchmarks" / "peers.lock", [])


def peer_python() -> Path:
    """Return the interpreter that has the peers."""
    python = CHECKOUT / _ENVIRONMENT / "bin" / "python"
    if not python.exists():
        sys.exit("the peers are not installed: run `python3.11 -m benchmarks.peers`, as `make bench` does")
    return python


def run_peer(script: str, *words: str | Path, seconds: float) -> dict[str, Any]:
    """Run a script of `peer_scripts` and return the JSON object it prints last.

    One that fails or takes longer than `seconds` gives `{"failed": why}`: that says nothing but that.
    """
    return run_json([str(peer_python()), str(_SCRIPTS / f"{script}.py"), *map(str, words)], seconds)


def run_json(command: list[str], seconds: float) -> dict[str, Any]:
    """Run a command in a process of its own and return the JSON object it prints last; see `run_peer`."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except subprocess.TimeoutExpired:
        return {"failed": f"ended after {seconds:.0f} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": (error.stderr.strip().splitlines() or ["without a word"])[-1]}
    found: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return found


if __name__ == "__main__":
    install()
