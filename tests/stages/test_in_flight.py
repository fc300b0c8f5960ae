"""Requests about one task each: several under way at a time, none of them without the lease."""

from __future__ import annotations

import threading

import pytest

from labelloop.errors import InputError, LeaseLost
from tasks.clients.lease import try_acquire
from tasks.in_flight import for_each
from tests.fakes.hot import MemoryHotState

SECONDS = 60


def test_four_are_under_way_at_a_time():
    lease, meeting, done = try_acquire(MemoryHotState(), "digits/push", seconds=SECONDS), threading.Barrier(4), []

    def meet(number: int) -> None:
        meeting.wait(timeout=SECONDS)
        done.append(number)

    for_each(lease, range(8), meet, "tasks")
    assert sorted(done) == list(range(8))


def test_what_may_not_meet_another_is_done_one_after_the_other():
    seen = []

    def note(number: int) -> None:
        seen.append(f"begin {number}")
        threading.Event().wait(0)  # others may go on here
        seen.append(f"end {number}")

    for_each(try_acquire(MemoryHotState(), "digits/push", seconds=SECONDS), range(8), note, "tasks", at_once=1)
    assert seen == [f"{what} {number}" for number in range(8) for what in ("begin", "end")]


def test_without_the_lease_nothing_is_asked():
    hot, done = MemoryHotState(), []
    lost = try_acquire(hot, "digits/push", seconds=SECONDS, clock=lambda: 0.0)
    try_acquire(hot, "digits/push", seconds=SECONDS, clock=lambda: 2.0 * SECONDS)
    with pytest.raises(LeaseLost):
        for_each(lost, range(8), done.append, "tasks")
    assert done == []


def test_a_failure_is_told_as_it_is():
    def refuse(_: int) -> None:
        raise InputError("no such task", remedy="run collect")

    with pytest.raises(InputError, match="no such task"):
        for_each(try_acquire(MemoryHotState(), "digits/push", seconds=SECONDS), [1], refuse, "tasks")
