"""`python -m tests.mutations [NAME]`: plant each bug in a copy of the checkout; exit 1 if a test suite misses one."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.mutations.mutation import Mutation
from tests.mutations.table import MUTATIONS

CHECKOUT = Path(__file__).resolve().parents[2]


def main(words: list[str]) -> int:
    """Try every planted bug whose name contains the words and return how many went unnoticed."""
    chosen = [m for m in MUTATIONS if " ".join(words) in m.name]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checkout"
        _copy(copy)
        healthy = {tests: _pass(copy, tests) for tests in {m.tests: None for m in chosen}}
        missed = [m.name for m in chosen if not _noticed(copy, m, healthy=healthy[m.tests])]
    sys.stdout.write(f"{len(chosen) - len(missed)} of {len(chosen)} planted bugs noticed\n")
    return len(missed) or int(not chosen)


def _copy(target: Path) -> None:
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


def _noticed(copy: Path, mutation: Mutation, *, healthy: bool) -> bool:
    """Return whether the tests, which must be healthy without the bug, fail with it planted."""
    file = copy / mutation.file
    right = file.read_text(encoding="utf-8")
    if right.count(mutation.right) != 1:
        sys.stdout.write(f"STALE    {mutation.name}: its line is not once in {mutation.file}\n")
        return False
    file.write_text(right.replace(mutation.right, mutation.wrong), encoding="utf-8")
    red = not _pass(copy, mutation.tests)
    file.write_text(right, encoding="utf-8")
    word = "RED BEFORE" if not healthy else "noticed " if red else "MISSED  "
    sys.stdout.write(f"{word} {mutation.name} ({mutation.tests})\n")
    sys.stdout.flush()
    return healthy and red


def _pass(copy: Path, tests: str) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *shlex.split(tests)]
    ending = subprocess.run(command, cwd=copy, capture_output=True, check=False).returncode
    if ending not in (0, 1):
        sys.exit(f"`pytest {tests}` cannot run: exit code {ending}")  # as when -k finds no test
    return ending == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
