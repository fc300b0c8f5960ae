"""Files and folders that only their owner can read.

Written beside the target and renamed, so that a reader never sees half a file.
"""

from __future__ import annotations

import os
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
