"""One lease primitive: conditional put, expiry, and a fencing token checked at each effect.

A lease is held per (project, stage). A second run waits for it; a run that lost it must stop before its next effect.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from labelloop.errors import Conflict, LeaseHeld, LeaseLost, UnavailableError
from tasks.clients.hot import HotState, Json, Versioned

Clock = Callable[[], float]


@dataclass
class Lease:
    """A held lease; `check` before every effect."""

    name: str
    token: int
    holder: str
    _hot: HotState
    _seconds: float
    _clock: Clock
    _lost: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> str:
        """Where the lease lies in hot state."""
        return f"leases/{self.name}.json"

    def check(self) -> None:
        """Pass while the lease is ours.

        Raises:
            LeaseLost: it expired and somebody took it; nothing more may be changed.
        """
        present = self._hot.get(self.key)
        if self._lost.is_set() or present is None or present.value["token"] != self.token:
            self._lost.set()
            raise LeaseLost(f"the lease {self.name} was taken over by another run", remedy="let that run finish")

    def renew(self) -> None:
        """Push the expiry forward; LeaseLost if somebody else holds it."""
        present = self._hot.get(self.key)
        if present is None or present.value["token"] != self.token:
            self._lost.set()
            raise LeaseLost(f"the lease {self.name} was taken over by another run", remedy="let that run finish")
        self._hot.replace(self.key, self._value(), present.etag)

    def release(self) -> None:
        """Give the lease up; the token stays, so that the next holder's is higher."""
        self._released.set()
        present = self._hot.get(self.key)
        if present and present.value["token"] == self.token:
            try:
                self._hot.replace(self.key, {**present.value, "expires_at": 0.0}, present.etag)
            except Conflict:
                return

    def _value(self) -> Json:
        return {"token": self.token, "holder": self.holder, "expires_at": self._clock() + self._seconds}

    def _keep(self) -> None:
        while not self._released.wait(self._seconds / 3):
            try:
                self.renew()
            except (LeaseLost, Conflict):
                self._lost.set()
                return
            except UnavailableError:
                continue  # the next beat may reach the server before the lease expires


def try_acquire(hot: HotState, name: str, *, seconds: float, clock: Clock = time.time) -> Lease:
    """Return the lease, or refuse at once.

    A holder on this machine whose process has ended is taken over without waiting for the expiry.

    Raises:
        LeaseHeld: another run holds it.
    """
    key, holder = f"leases/{name}.json", f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    present = hot.get(key)
    if present and present.value["expires_at"] > clock() and not _ended(present.value["holder"]):
        raise LeaseHeld(f"another run holds {name}", remedy="wait until it ends, or until its lease expires")
    lease = Lease(name, _next_token(present), holder, hot, seconds, clock)
    try:
        if present:
            hot.replace(key, lease._value(), present.etag)
        else:
            hot.create(key, lease._value())
    except Conflict:
        raise LeaseHeld(f"another run took {name} at this moment", remedy="retry") from None
    return lease


@contextmanager
def hold(
    hot: HotState, name: str, *, seconds: float, wait_seconds: float, waiting: Callable[[str], None] = lambda _: None
) -> Iterator[Lease]:
    """Hold the lease during the block, waiting for another holder at most `wait_seconds`.

    Args:
        hot: where leases live.
        name: what is leased, `<project>/<stage>`.
        seconds: expiry without renewal; renewed in the background each third of it.
        wait_seconds: how long to wait for another holder.
        waiting: told once, in one line, that there is somebody to wait for.

    Raises:
        LeaseHeld: the other holder did not end in time.
    """
    lease = _acquire(hot, name, seconds, wait_seconds, waiting)
    keeper = threading.Thread(target=lease._keep, name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        lease.release()
        keeper.join()


def _acquire(hot: HotState, name: str, seconds: float, wait_seconds: float, waiting: Callable[[str], None]) -> Lease:
    deadline, told = time.monotonic() + wait_seconds, False
    while True:
        try:
            return try_acquire(hot, name, seconds=seconds)
        except LeaseHeld:
            if time.monotonic() >= deadline:
                raise
            if not told:
                waiting(f"waiting for another run on {name}")
                told = True
            time.sleep(min(0.5, seconds / 4))


def _next_token(present: Versioned | None) -> int:
    return int(present.value["token"]) + 1 if present else 1


def _ended(holder: str) -> bool:
    host, pid, _ = holder.rsplit(":", 2)
    return host == socket.gethostname() and Path("/proc").is_dir() and not Path(f"/proc/{pid}").exists()
