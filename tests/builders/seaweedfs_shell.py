"""The shell of the local S3 server, for what only whoever runs the server can do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deployments.local import ports


class Shell:
    """The shell of the server of one stack."""

    def __init__(self, stack: Path) -> None:
        """Read the ports of the server from the folder of its stack."""
        options = (stack / "seaweedfs.options").read_text(encoding="utf-8").splitlines()
        given = dict(line.split("=", 1) for line in options)
        self._servers = [f"-{name}={_address(given[f'{name}.port'])}" for name in ("master", "filer")]

    def run(self, *commands: str, seconds: float) -> None:
        """Run commands one after the other; all must end in time."""
        weed = [str(Path(sys.executable).with_name("weed")), "-logtostderr=true", "shell", *self._servers]
        lines = "".join(f"{command}\n" for command in commands)
        subprocess.run(weed, input=lines, text=True, capture_output=True, timeout=seconds, check=True)


def _address(port: str) -> str:
    return f"{ports.LOOPBACK}:{port}.{int(port) + ports.GRPC_OFFSET}"
