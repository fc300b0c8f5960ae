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
from tasks.clients.hot import HotState, Versioned

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

    @property
    def key(self) -> str:
        """Where the lease lies in hot state."""
        return f"leases/{self.name}.json"

    def check(self) -> None:
        """Pass while the lease is ours.

        Raises:
            LeaseLost: it expired and somebody took it; nothing more may be changed.
        """
        self._ours()

    def renew(self) -> None:
        """Push the expiry forward; LeaseLost if somebody else holds it."""
        self._write(self._ours(), self._clock() + self._seconds)

    def release(self) -> None:
        """Give the lease up; the token stays, so that the next holder's is higher."""
        try:
            present = self._hot.get(self.key)
            if present and self._is_ours(present):
                self._write(present, 0.0)
        except UnavailableError:
            return  # it expires by itself

    def _write(self, present: Versioned | None, expires_at: float) -> None:
        """Put our record in place of the present one.

        Raises:
            Conflict: somebody else did so first. A put of ours that was carried out before its reply was lost, and
                then sent again by the S3 client, is no conflict.
        """
        record = {"token": self.token, "holder": self.holder, "expires_at": expires_at}
        try:
            if present:
                self._hot.replace(self.key, record, present.etag)
            else:
                self._hot.create(self.key, record)
        except Conflict:
            if not self._is_ours(self._hot.get(self.key)):
                raise

    def _ours(self) -> Versioned:
        present = self._hot.get(self.key)
        if self._lost.is_set() or present is None or not self._is_ours(present):
            self._lost.set()
            raise LeaseLost(f"the lease {self.name} was taken over by another run", remedy="let that run finish")
        return present

    def _is_ours(self, present: Versioned | None) -> bool:
        return present is not None and (present.value["token"], present.value["holder"]) == (self.token, self.holder)

    def _keep(self, released: threading.Event) -> None:
        while not released.wait(self._seconds / 3):
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
        lease._write(present, clock() + seconds)
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
    released = threading.Event()
    keeper = threading.Thread(target=lease._keep, args=(released,), name=f"lease {name}", daemon=True)
    keeper.start()
    try:
        yield lease
    finally:
        released.set()
        keeper.join()
        lease.release()


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
