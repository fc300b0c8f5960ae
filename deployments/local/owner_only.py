"""Files that only their owner can read, and among them the `KEY=VALUE` file of variables.

Values are quoted for a shell: `set -a; . .local/env` works.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from tasks.clients.private_files import make_directory, write_text

__all__ = ["make_directory", "read_variables", "write_text", "write_variables"]


def write_variables(path: Path, variables: Mapping[str, str]) -> None:
    """Write variables as shell-quoted `KEY=VALUE` lines, sorted, mode 0600."""
    write_text(path, "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())))


def read_variables(path: Path) -> dict[str, str]:
    """Return the variables of a file made by `write_variables`, empty when it is missing."""
    if not path.exists():
        return {}
    pairs = (word.partition("=") for word in shlex.split(path.read_text(encoding="utf-8"), comments=True))
    return {name: value for name, _, value in pairs}
