"""What a figure was measured on: commit, processor, memory, versions; no name and no path of the machine."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import psutil

_GLANCE = 0.02  # seconds between two looks at memory
_PACKAGES = ("deltalake", "duckdb", "great-expectations", "numpy", "prefect", "pyarrow", "scikit-learn")


def commit() -> str:
    """Return the commit of the checkout, with `+` when files differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def machine() -> dict[str, object]:
    """Return processor, cores, memory and versions."""
    information = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").is_file() else ""
    models = [line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
    }


def peak_mib() -> int:
    """Return the largest memory this program has had, in MiB (Linux).

    That of `getrusage` would begin with the memory of the process that started it.
    """
    [kib] = re.findall(r"^VmHWM:\s+(\d+) kB$", Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
    return int(kib) // 1024


def peak_mib_of(command: Sequence[str]) -> int:
    """Run a command and return the largest memory it and its children have had, in MiB, shared pages once (Linux)."""
    peak = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as started:
        process = psutil.Process(started.pid)
        while started.poll() is None:
            with suppress(psutil.Error):  # one of them is gone
                family = [process, *process.children(recursive=True)]
                peak = max(peak, sum(one.memory_full_info().pss for one in family))
            with suppress(subprocess.TimeoutExpired):
                started.wait(_GLANCE)
    return peak >> 20


def _git(*arguments: str) -> str:
    command = [shutil.which("git") or "git", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
