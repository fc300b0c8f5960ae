"""Showing a person that the stack is working: a live line per server, plain lines when nobody watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


class Display(Protocol):
    """Where steps of the stack are announced."""

    def begin(self, step: str) -> None:
        """Announce that a step has begun."""

    def finish(self, step: str, ending: str) -> None:
        """Announce how the step has ended."""


class Silent:
    """Announces nothing: for tests and programs."""

    def begin(self, step: str) -> None:
        """Ignore the step."""

    def finish(self, step: str, ending: str) -> None:
        """Ignore the ending."""


class Lines:
    """One line per beginning and ending, with the seconds between them; for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun: dict[str, float] = {}

    def begin(self, step: str) -> None:
        """Write that the step has begun."""
        self._begun[step] = time.monotonic()
        self._console.print(f"{step} ...", soft_wrap=True)

    def finish(self, step: str, ending: str) -> None:
        """Write how the step has ended and how long it took."""
        self._console.print(f"{step}: {ending} ({time.monotonic() - self._begun[step]:.0f} s)", soft_wrap=True)


class Live:
    """A spinner with running seconds per step; for terminals."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def begin(self, step: str) -> None:
        """Add a line for the step."""
        self._tasks[step] = self._progress.add_task(f"{step} ...", total=1)

    def finish(self, step: str, ending: str) -> None:
        """Stop the step's clock and show how it ended."""
        self._progress.update(self._tasks[step], description=f"{step}: {ending}", completed=1)


@contextmanager
def display() -> Iterator[Display]:
    """Yield the display that suits standard error: live on a terminal, plain lines elsewhere."""
    console = Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield Lines(console)
        return
    columns = (SpinnerColumn(finished_text=" "), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Live(progress)
