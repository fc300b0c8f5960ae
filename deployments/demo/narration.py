"""What the demo says while it works: a line per step with its time, a bar where items can be counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Narration:
    """Steps on standard error: live on a terminal, one line each elsewhere."""

    def __init__(self, console: Console | None = None) -> None:
        """Speak on a console, standard error unless a test gives another."""
        self._console = console or Console(stderr=True, highlight=False)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, text: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Show that a step runs, and how long it took; call what it yields with the number of items done."""
        started = time.perf_counter()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        shown = columns if total else columns[:2]
        live = self._console.is_terminal
        if not live:
            self._console.print(f"     ... {text}")
        with Progress(*shown, TimeElapsedColumn(), console=self._console, transient=True, disable=not live) as bar:
            row = bar.add_task(text, total=total)
            yield lambda done: bar.advance(row, done)
        self.seconds[text] = time.perf_counter() - started
        self._console.print(f"{self.seconds[text]:7.1f}s {text}")
