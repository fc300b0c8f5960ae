"""How long a call takes and how much memory it adds to the process at its highest (Linux)."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MIB = 2**20


class Measured(NamedTuple):
    """Least wall and processor seconds of the repetitions, MiB above what was held before, and the last result."""

    seconds: float
    cpu_seconds: float
    added_mib: float
    result: Any


def measured(work: Callable[[], Any], repeat: int = 1) -> Measured:
    """Do the work so often and return the least times: what disturbs them only adds."""
    gc.collect()
    _RESET.write_text("5", encoding="ascii")  # the peak is counted from here
    before, result = _kib("VmRSS"), None
    seconds, cpu_seconds = [], []
    for _ in range(repeat):
        result = None
        wall, processor = time.perf_counter(), time.process_time()
        result = work()
        seconds.append(time.perf_counter() - wall)
        cpu_seconds.append(time.process_time() - processor)
    return Measured(min(seconds), min(cpu_seconds), max(0, _kib("VmHWM") - before) / 1024, result)


def _kib(field: str) -> int:
    lines = _STATUS.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))
