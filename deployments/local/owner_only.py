"""Files and directories that only their owner can read, and the `KEY=VALUE` file of variables.

Written beside the target and renamed, so that a reader never sees half a file. Values are quoted for a
shell: `set -a; . .local/env` works.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path


def make_directory(path: Path) -> Path:
    """Create the directory with mode 0700 (also when it exists with a wider one) and return it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def write_text(path: Path, text: str) -> None:
    """Replace the file by `text` with mode 0600 in one step."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    partial.replace(path)


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Write variables as shell-quoted `KEY=VALUE` lines, sorted, mode 0600."""
    write_text(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())))


def read_variables(path: Path) -> dict[str, str]:
    """Return the variables of a file made by `write_variables`, empty when it is missing."""
    if not path.exists():
        return {}
    pairs = (word.partition("=") for word in shlex.split(path.read_text(encoding="utf-8"), comments=True))
    return {name: value for name, _, value in pairs}
