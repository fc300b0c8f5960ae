"""Starting and ending one server process, and recognising it again in a later command.

A process id alone is reused by the kernel. A process is ours when its id, its start time and the boot of
the machine are those noted at its start; signals go through a pidfd, which never points at a successor.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deployments.local import owner_only

_START_TIME, _SESSION = 19, 3  # positions in /proc/<pid>/stat after the command name


@dataclasses.dataclass(frozen=True)
class Identity:
    """One process, for ever: id, start time in clock ticks, boot of the machine, digest of its settings."""

    pid: int
    started: int
    boot: str
    settings_digest: str

    @property
    def is_running(self) -> bool:
        """Whether exactly this process still runs (a zombie does not)."""
        stat = _stat(self.pid)
        return bool(stat) and stat[0] not in "ZX" and (int(stat[_START_TIME]), _boot()) == (self.started, self.boot)


def start(
    command: Sequence[str], variables: Mapping[str, str], directory: Path, log: Path, settings_digest: str
) -> tuple[Identity, subprocess.Popen[bytes]]:
    """Start a command in a session of its own with only the given variables; output is appended to the log.

    The handle is returned so that a caller that lives on can reap the process once it has ended.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 (the commands are our own constants)
            command,
            env=dict(variables),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stat = _stat(child.pid)
    started = int(stat[_START_TIME]) if stat else 0
    return Identity(child.pid, started, _boot(), settings_digest), child


def stop(identity: Identity, patience_seconds: float) -> None:
    """End the process: asked first, killed with what it left behind when patience runs out.

    A process that is not ours any more is left alone.
    """
    if identity.boot != _boot():
        return
    with contextlib.suppress(ProcessLookupError), _handle(identity.pid) as handle:
        if identity.is_running:
            signal.pidfd_send_signal(handle, signal.SIGTERM)
            ended, _, _ = select.select([handle], [], [], patience_seconds)
            if not ended:
                signal.pidfd_send_signal(handle, signal.SIGKILL)
                select.select([handle], [], [])
    _end_leftovers(identity)


def remember(identity: Identity, path: Path) -> None:
    """Write the identity to its pid file."""
    owner_only.write_text(path, json.dumps(dataclasses.asdict(identity)))


def recall(path: Path) -> Identity | None:
    """Return the identity in a pid file, None when there is no file."""
    return Identity(**json.loads(path.read_text())) if path.exists() else None


def _end_leftovers(leader: Identity) -> None:
    """Kill what still runs in the session of a process that has ended."""
    successor = _stat(leader.pid)
    if successor and int(successor[_START_TIME]) != leader.started:
        return  # the id, and with it the session, belongs to somebody else by now
    for entry in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(entry.name))
        if stat and int(stat[_SESSION]) == leader.pid and int(entry.name) != leader.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(entry.name), signal.SIGKILL)


@contextlib.contextmanager
def _handle(pid: int) -> Iterator[int]:
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/<pid>/stat after the command name, empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
