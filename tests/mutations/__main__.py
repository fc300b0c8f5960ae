"""`python -m tests.mutations [NAME]`: plant each bug in a copy of the checkout; exit 1 if a test suite misses one."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.mutations.mutation import Mutation
from tests.mutations.table import MUTATIONS

CHECKOUT = Path(__file__).resolve().parents[2]
SIDE_BY_SIDE = 2


def main(words: list[str]) -> int:
    """Try every planted bug whose name contains the words and return how many went unnoticed; 2 if none has them."""
    chosen = [m for m in MUTATIONS if " ".join(words) in m.name]
    if not chosen:  # without a name to choose by, pytest would run every test there is
        sys.stderr.write(f"no planted bug is called {' '.join(words)!r}; tests/mutations/ holds their names\n")
        return 2
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        copies: SimpleQueue[Path] = SimpleQueue()  # each has one bug at a time
        for number in range(SIDE_BY_SIDE):
            copies.put(_copy(Path(folder) / str(number)))
        healthy = _all_pass(Path(folder) / "0", chosen)

        def noticed(mutation: Mutation) -> bool:
            copy = copies.get()
            word = _tried(copy, mutation, healthy=healthy)
            copies.put(copy)
            sys.stdout.write(f"{word:10} {mutation.name} ({mutation.tests})\n")
            sys.stdout.flush()
            return word == "noticed"

        missed = len(chosen) - sum(pool.map(noticed, chosen))
    sys.stdout.write(f"{len(chosen) - missed} of {len(chosen)} planted bugs noticed\n")
    return missed


def _copy(target: Path) -> Path:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (CHECKOUT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(CHECKOUT / name, target / name)
    for shared in (".local", ".venv", ".venv-label-studio"):
        if (CHECKOUT / shared).exists():
            (target / shared).symlink_to(CHECKOUT / shared)
    return target


def _all_pass(copy: Path, chosen: Sequence[Mutation]) -> bool:
    """Return whether the tests of all bugs pass without them; they run together, as each start takes its time."""
    tests = [shlex.split(mutation.tests) for mutation in chosen]
    files = {file: None for file, *_ in tests}
    names = {keywords[1] if keywords else Path(file).stem: None for file, *keywords in tests}
    return _ending(copy, [*files, "-k", " or ".join(f"({name})" for name in names)]) == 0


def _tried(copy: Path, mutation: Mutation, *, healthy: bool) -> str:
    """Return how the tests took the bug; unless all are known to be healthy, they must first pass without it."""
    file, tests = copy / mutation.file, shlex.split(mutation.tests)
    right = file.read_text(encoding="utf-8")
    if right.count(mutation.right) != 1:
        return "STALE"
    if not healthy and _ending(copy, tests) != 0:
        return "RED BEFORE"
    file.write_text(right.replace(mutation.right, mutation.wrong), encoding="utf-8")
    ending = _ending(copy, tests)
    file.write_text(right, encoding="utf-8")
    return {0: "MISSED", 1: "noticed"}.get(ending, "CANNOT RUN")  # as when -k finds no test


def _ending(copy: Path, tests: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
