"""What the stack has to know about a server: how to start it and how to see that it is healthy."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

# All a server gets from our own environment: credentials of other programs stay out of its reach.
_INHERITED = ("HOME", "LANG", "LC_ALL", "OMP_NUM_THREADS", "PATH", "TMPDIR", "TZ", "USER")


def nothing_to_do() -> None:
    """Do nothing: for servers without preparation or settling."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A server of the stack.

    `prepare` runs before each start, `settle` once it is healthy; both can be repeated safely.
    `boot_seconds` is how long to wait for health, `end_seconds` how long to wait for a polite end.
    """

    name: str
    url: str
    health_path: str
    command: tuple[str, ...]
    variables: Mapping[str, str] = dataclasses.field(repr=False)
    directory: Path
    boot_seconds: float
    end_seconds: float = 15.0
    prepare: Callable[[], None] = nothing_to_do
    settle: Callable[[], None] = nothing_to_do

    @property
    def settings_digest(self) -> str:
        """Digest of command and variables: a running server with another one has outdated settings."""
        return hashlib.sha256(json.dumps([self.command, sorted(self.variables.items())]).encode()).hexdigest()

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of the process."""
        return inherited_environment() | dict(self.variables)

    def is_healthy(self) -> bool:
        """Whether the server answers its health question with 200."""
        try:
            with urllib.request.urlopen(f"{self.url}{self.health_path}", timeout=5) as answer:  # noqa: S310 (loopback)
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def inherited_environment() -> dict[str, str]:
    """Return the few variables that every process of the stack takes over from ours."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}
