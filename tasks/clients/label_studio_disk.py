"""What Label Studio leaves in files: uploads and exports of people in its data folder, and its log.

Read and blanked through the file's pages in memory, so that size does not matter and nothing is cut in two.
"""

from __future__ import annotations

import gzip
import mmap
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from labelloop.erasure.mentions import pattern_of

_FOLDERS = ("media/upload", "media/export", "export")
_BLANK = b"-"


class LabelStudioDisk:
    """The data folder of a Label Studio."""

    def __init__(self, folder: Path) -> None:
        """Name the data folder; nothing is read yet."""
        self._folder = folder

    def files(self, names: Collection[str]) -> list[Path]:
        """Return the uploads and exports that name anything erased, below the data folder."""
        wanted = pattern_of(names)
        return [path for path in self._copies() if _holds(path, wanted)]

    def delete_files(self, paths: Collection[Path]) -> None:
        """Delete these files; absent is fine."""
        for path in paths:
            path.unlink(missing_ok=True)

    def _copies(self) -> Iterator[Path]:
        for folder in _FOLDERS:
            yield from sorted(path for path in (self._folder / folder).rglob("*") if path.is_file())


class LabelStudioLog:
    """What the server logged, requests among it: a file that is still written to, and the older ones beside it."""

    def __init__(self, path: Path) -> None:
        """Name the log; `NAME.1`, `NAME.2.gz` and the like beside it are older parts of it."""
        self._path = path

    def files(self, names: Collection[str]) -> list[Path]:
        """Return the parts of the log that name anything erased."""
        wanted = pattern_of(names)
        parts = sorted(self._path.parent.glob(f"{self._path.name}*"))
        return [path for path in parts if path.is_file() and _holds(path, wanted)]

    def blank(self, paths: Collection[Path], names: Collection[str]) -> None:
        """Overwrite every line that names anything erased, where it stands; a packed part goes as a whole."""
        wanted = pattern_of(names)
        for path in paths:
            if path.suffix == ".gz":
                path.unlink(missing_ok=True)
            else:
                _blank_lines(path, wanted)


def _holds(path: Path, wanted: re.Pattern[bytes]) -> bool:
    if path.suffix == ".gz":
        with gzip.open(path) as lines:
            return any(wanted.search(line) for line in lines)
    with _mapped(path, mmap.ACCESS_READ) as content:
        return wanted.search(content) is not None


def _blank_lines(path: Path, wanted: re.Pattern[bytes]) -> None:
    with _mapped(path, mmap.ACCESS_WRITE) as content:
        for found in wanted.finditer(content):
            start, end = content.rfind(b"\n", 0, found.start()) + 1, content.find(b"\n", found.end())
            end = len(content) if end < 0 else end
            content[start:end] = _BLANK * (end - start)


@contextmanager
def _mapped(path: Path, access: int) -> Iterator[mmap.mmap | bytearray]:
    """Lend the bytes of a file as it is now; what is appended meanwhile is not touched."""
    with path.open("r+b" if access == mmap.ACCESS_WRITE else "rb") as file:
        if not path.stat().st_size:
            yield bytearray()  # nothing can be mapped of an empty file
            return
        with mmap.mmap(file.fileno(), 0, access=access) as content:
            yield content
