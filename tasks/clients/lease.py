"""One lease primitive: conditional put, expiry, and a fencing token checked at each effect.

A lease is held per (project, stage). A second run waits for it; a run that lost it must stop before its next effect.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    _etag: str | None  # of the record last seen; None before there was any
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
        if self._lost.is_set() or not self._is_ours(self._hot.get(self.key)):
            raise self._overtaken()

    def renew(self) -> None:
        """Push the expiry forward; LeaseLost if somebody else holds it."""
        if self._lost.is_set() or not self._write(self._clock() + self._seconds):
            raise self._overtaken()

    def release(self) -> None:
        """Give the lease up; the token stays, so that the next holder's is higher."""
        with suppress(UnavailableError):  # it expires by itself
            self._write(0.0)

    def _write(self, expires_at: float) -> bool:
        """Put our record in the place of the one last seen, and return whether nobody else did so first.

        A put of ours that was carried out before its reply was lost is seen here, and written once more.
        """
        record = {"token": self.token, "holder": self.holder, "expires_at": expires_at}
        for _ in range(2):
            try:
                self._put(record)
                return True
            except Conflict:
                present = self._hot.get(self.key)
                if present is None or not self._is_ours(present):
                    return False
                self._etag = present.etag
        return False

    def _put(self, record: Json) -> None:
        if self._etag is None:
            self._etag = self._hot.create(self.key, record)
        else:
            self._etag = self._hot.replace(self.key, record, self._etag)

    def _overtaken(self) -> LeaseLost:
        self._lost.set()
        return LeaseLost(f"the lease {self.name} was taken over by another run", remedy="let that run finish")

    def _is_ours(self, present: Versioned | None) -> bool:
        return present is not None and (present.value["token"], present.value["holder"]) == (self.token, self.holder)

    def _keep(self, released: threading.Event) -> None:
        while not released.wait(self._seconds / 3):
            try:
                self.renew()
            except LeaseLost:
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
    lease = Lease(name, _next_token(present), holder, hot, seconds, clock, present.etag if present else None)
    if not lease._write(clock() + seconds):
        raise LeaseHeld(f"another run took {name} at this moment", remedy="retry")
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
