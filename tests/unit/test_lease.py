"""Leases: one holder, expiry, take-over, fencing; against the store in memory."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from labelloop.errors import Conflict, LeaseHeld, LeaseLost, UnavailableError
from tasks.clients.lease import hold, try_acquire
from tests.fakes.hot import MemoryHotState

ELSEWHERE = "another-machine:1:1"


class Time:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def hot():
    return MemoryHotState()


@pytest.fixture
def clock():
    return Time()


def held_by(hot, holder, expires_at, token=1):
    hot.create("leases/digits/sync.json", {"token": token, "holder": holder, "expires_at": expires_at})


def test_a_second_run_is_refused_while_the_first_holds_the_lease(hot, clock):
    lease = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    with pytest.raises(LeaseHeld, match="digits/sync"):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    lease.check()


def test_leases_of_other_stages_and_projects_are_independent(hot, clock):
    for name in ("digits/sync", "digits/push", "letters/sync"):
        try_acquire(hot, name, seconds=60, clock=clock).check()


def test_a_released_lease_can_be_taken_at_once_with_a_higher_token(hot, clock):
    first = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    first.release()
    second = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    assert second.token == first.token + 1


def test_an_expired_lease_is_taken_over_with_a_higher_token(hot, clock):
    held_by(hot, ELSEWHERE, clock.now + 60, token=5)
    with pytest.raises(LeaseHeld):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    clock.now += 61
    assert try_acquire(hot, "digits/sync", seconds=60, clock=clock).token == 6


def test_a_lost_lease_stays_lost(hot, clock):
    old = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    clock.now += 61
    new = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    new.release()
    for attempt in (old.check, old.check, old.renew):
        with pytest.raises(LeaseLost):
            attempt()


def test_a_lost_lease_cannot_release_that_of_its_successor(hot, clock):
    old = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    clock.now += 61
    new = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    old.release()
    new.check()
    with pytest.raises(LeaseHeld):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)


def test_a_lease_that_expired_but_was_not_taken_is_still_ours(hot, clock):
    lease = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    clock.now += 61
    lease.check()
    lease.renew()
    with pytest.raises(LeaseHeld):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)


def test_a_holder_on_this_machine_that_has_ended_is_taken_over_without_waiting(hot, clock, ended_pid):
    held_by(hot, f"{socket.gethostname()}:{ended_pid}:1", clock.now + 3600)
    assert try_acquire(hot, "digits/sync", seconds=60, clock=clock).token == 2


def test_a_holder_on_this_machine_that_lives_is_not_taken_over(hot, clock):
    held_by(hot, f"{socket.gethostname()}:{os.getppid()}:1", clock.now + 3600)
    with pytest.raises(LeaseHeld):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)


def test_an_ended_process_of_the_same_number_elsewhere_proves_nothing(hot, clock, ended_pid):
    held_by(hot, f"another-machine:{ended_pid}:1", clock.now + 3600)
    with pytest.raises(LeaseHeld):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)


def test_of_two_that_take_over_at_the_same_instant_one_is_refused(clock):
    class Overtaken(MemoryHotState):
        def replace(self, key, value, etag):
            super().replace(key, {**value, "holder": ELSEWHERE}, etag)
            return super().replace(key, value, etag)

    hot = Overtaken()
    held_by(hot, ELSEWHERE, expires_at=0.0)
    with pytest.raises(LeaseHeld, match="at this moment"):
        try_acquire(hot, "digits/sync", seconds=60, clock=clock)


def test_a_put_whose_reply_was_lost_and_was_sent_again_is_our_own(clock):
    class SentTwice(MemoryHotState):
        def create(self, key, value):
            super().create(key, value)
            return super().create(key, value)

    try_acquire(SentTwice(), "digits/sync", seconds=60, clock=clock).check()


@pytest.mark.slow
def test_a_run_waits_for_the_other_says_so_once_and_then_holds(hot):
    other, told = try_acquire(hot, "digits/sync", seconds=60), []

    def release_when_waited_for(line):
        told.append(line)
        other.release()

    with hold(hot, "digits/sync", seconds=2, wait_seconds=60, waiting=release_when_waited_for) as lease:
        assert lease.token == other.token + 1
    assert told == ["waiting for another run on digits/sync"]


def test_waiting_has_an_end(hot):
    try_acquire(hot, "digits/sync", seconds=60)
    with pytest.raises(LeaseHeld), hold(hot, "digits/sync", seconds=2, wait_seconds=0):
        pass


def test_the_lease_is_given_up_when_the_block_fails(hot):
    with pytest.raises(ZeroDivisionError), hold(hot, "digits/sync", seconds=60, wait_seconds=0):
        _ = 1 / 0
    try_acquire(hot, "digits/sync", seconds=60).check()


def test_the_lease_is_renewed_while_the_block_runs():
    beaten = threading.Event()

    class Counting(MemoryHotState):
        def replace(self, key, value, etag):
            beaten.set()
            return super().replace(key, value, etag)

    with hold(Counting(), "digits/sync", seconds=0.1, wait_seconds=0) as lease:
        assert beaten.wait(timeout=30)
        lease.check()


def test_a_renewal_that_finds_a_successor_stops_the_next_effect(hot):
    with hold(hot, "digits/sync", seconds=0.1, wait_seconds=0) as lease:
        _steal(hot)
        assert lease._lost.wait(timeout=30)
        with pytest.raises(LeaseLost):
            lease.check()


def test_a_store_that_does_not_answer_does_not_hide_how_the_block_ended(hot, monkeypatch):
    def silent(*_given):
        raise UnavailableError("S3 did not answer")

    with hold(hot, "digits/sync", seconds=60, wait_seconds=0):
        monkeypatch.setattr(hot, "get", silent)
        monkeypatch.setattr(hot, "replace", silent)


def test_a_renewal_whose_reply_was_lost_and_not_sent_again_does_not_cost_the_lease(clock):
    class LosesReplies(MemoryHotState):
        silent = False

        def replace(self, key, value, etag):
            written = super().replace(key, value, etag)
            if self.silent:
                raise UnavailableError("S3 did not answer")
            return written

    hot = LosesReplies()
    lease = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    hot.silent = True
    with pytest.raises(UnavailableError):
        lease.renew()
    hot.silent = False
    lease.renew()
    lease.release()
    try_acquire(hot, "digits/sync", seconds=60, clock=clock).check()


def test_a_lease_costs_two_requests_to_take_and_one_each_to_renew_check_and_release(clock):
    class Counted(MemoryHotState):
        asked = 0

        def get(self, key):
            self.asked += 1
            return super().get(key)

        def replace(self, key, value, etag):
            self.asked += 1
            return super().replace(key, value, etag)

    hot = Counted()
    held_by(hot, ELSEWHERE, expires_at=0.0)
    lease = try_acquire(hot, "digits/sync", seconds=60, clock=clock)
    asked = [hot.asked]
    for act in (lease.renew, lease.check, lease.release):
        act()
        asked.append(hot.asked)
    assert asked == [2, 3, 4, 5]


def _steal(hot):
    while True:
        present = hot.get("leases/digits/sync.json")
        try:
            hot.replace("leases/digits/sync.json", {**present.value, "token": 99, "holder": ELSEWHERE}, present.etag)
        except Conflict:
            continue
        return


@pytest.fixture
def ended_pid():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid
