"""Backpressure: annotators' open work bounds the next batch."""

from __future__ import annotations

from typing import NamedTuple


class Backpressure(NamedTuple):
    """How many references the next batch may have, and why."""

    size: int
    reason: str


def backpressure(batch_size: int, open_tasks: int, max_open: int) -> Backpressure:
    """The batch size that leaves at most `max_open` tasks open; zero is a valid size.

    >>> backpressure(100, 40, 120)
    Backpressure(size=80, reason='80 of 100: 40 tasks are open and at most 120 may be')
    """
    size = max(0, min(batch_size, max_open - open_tasks))
    return Backpressure(size, f"{size} of {batch_size}: {open_tasks} tasks are open and at most {max_open} may be")
