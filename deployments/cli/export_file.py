"""A JSON export of Label Studio as a file, read a block at a time: its tasks are never held together.

A block is cut where a task seems to begin as the first one did. Decoding it tells: what stands before any other place
is no whole list of tasks. Only where it fails every bracket is looked at, which takes five times as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from labelloop.errors import InputError
from labelloop.export_tasks import TOO_DEEP, UNREADABLE, Task

Tasks = list[Task | None]
BLOCK: Final = 4 << 20  # bytes read at a time: some thousands of tasks
_TAIL: Final = 1 << 18  # bytes at the end of a block that are searched for the beginning of a task
_BLANKS: Final = b" \t\r\n"
_EMPTY: Final = bytearray()
_OPEN: Final = ord("[")
_CLOSING: Final = ord("]")
_TASKS: Final = msgspec.json.Decoder(Tasks)
_TASK: Final = msgspec.json.Decoder(Task | None)
# The first key of a task and, behind a plain value, the second: what lies in it begins otherwise.
_OPENING: Final = re.compile(rb'\s*\{\s*("[^"\\]*")\s*:(?:\s*[^][{}",\s]+\s*,\s*("[^"\\]*")\s*:)?')
_SIGN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[][{},"]', re.DOTALL)


def size_of(export: Path) -> int:
    """Return how many bytes an export has, 0 where that is not known."""
    with suppress(OSError):
        return export.stat().st_size
    return 0


def tasks_in(export: Path, start: int = 0, count: int = 0) -> Iterator[Tasks]:
    """Yield the tasks of an export, in its order, as `PartReader.read` takes them.

    Memory is bounded by a block and by the largest task, not by the file.

    Args:
        export: the file.
        start: where to begin: 0, or at a comma between two tasks.
        count: how many tasks were before.

    Raises:
        InputError: no such file, or it is no whole JSON array of tasks. That may come to light after much of it.
    """
    try:
        with export.open("rb") as file:
            if start:  # not every file, such as a pipe, can be sought in
                file.seek(start)
            text = as_list(bytearray(file.read(BLOCK)), start)
            if not text.startswith(b"["):
                raise _no_export(export, count or None)
            opening = opening_of(text)
            while more := file.read(max(BLOCK, len(text))):
                text = _EMPTY.join((text, more))
                tasks, text = _cut(export, count, text, _likely_end(text, opening))
                count += len(tasks)
                yield tasks
                del tasks  # so that the next can take their place in memory
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise InputError(f"{export} cannot be read ({why})", remedy="name a file that can") from None
    text = text.rstrip(_BLANKS)
    if not text.endswith(b"]"):
        raise _no_export(export, count + len(_cut(export, count, text, -1)[0]))
    yield _cut(export, count, text, len(text) - 1)[0]


def as_list(text: bytearray, start: int) -> bytearray:
    """Return as the beginning of a list what stands at this place of the file: its beginning, or a comma.

    Without a comma there, in a file that was changed meanwhile, it stays what it is: no list.
    """
    if start:
        if text.startswith(b","):
            text[0] = _OPEN
        return text
    return text.removeprefix(b"\xef\xbb\xbf").lstrip(_BLANKS)


def opening_of(text: bytearray) -> re.Pattern[bytes]:
    """Return what a comma between two tasks looks like, if all begin as the first of this list."""
    found = _OPENING.match(text, 1)
    keys = [re.escape(key) for key in found.groups() if key] if found else []
    between = rb'\s*:\s*[^][{}",\s]+\s*,\s*'
    return re.compile(rb",(?=\s*\{\s*" + between.join(keys) + rb")")


def _likely_end(text: bytearray, opening: re.Pattern[bytes]) -> int:
    for start in (max(0, len(text) - _TAIL), 0):
        if commas := [found.start() for found in opening.finditer(text, start)]:
            return commas[-1]
    return -1


def _cut(export: Path, count: int, text: bytearray, end: int) -> tuple[Tasks, bytearray]:
    """Return the whole tasks at the beginning of a list, and as a list, too, what is left of it.

    Args:
        export: named in errors.
        count: how many tasks were before.
        text: a list of tasks, open at its end or whole.
        end: the comma or the last bracket where a whole task seems to end, -1 if nowhere.
    """
    if end >= 0:
        sign, text[end] = text[end], _CLOSING  # in place, for to copy a block takes a tenth of its time
        with suppress(*UNREADABLE, RecursionError):
            return _TASKS.decode(memoryview(text)[: end + 1]), _EMPTY.join((b"[", memoryview(text)[end + 1 :]))
        text[end] = sign
    ends = [0, *_commas(text)]
    if end == len(text) - 1:
        ends.append(end)
    parts = [text[start + 1 : after] for start, after in pairwise(ends)]
    tasks = [_alone(export, count + place, part) for place, part in enumerate(parts)]
    return tasks, _EMPTY.join((b"[", memoryview(text)[ends[-1] + 1 :]))


def _commas(text: bytearray) -> list[int]:
    """Return where the commas between tasks are."""
    depth, commas = 0, []
    for found in _SIGN.finditer(text, 1):
        match found[0]:
            case b'"':  # a text that goes on in the next block
                break
            case b"[" | b"{":
                depth += 1
            case b"]" | b"}":
                depth -= 1
            case b"," if depth == 0:
                commas.append(found.start())
    return commas


def _alone(export: Path, count: int, text: bytearray) -> Task | None:
    try:
        return _TASK.decode(text)
    except RecursionError:
        return TOO_DEEP
    except UNREADABLE:
        raise _no_export(export, count) from None


def _no_export(export: Path, count: int | None = None) -> InputError:
    where = "" if count is None else f", from task {count + 1} on"
    return InputError(
        f"{export} is no JSON export of Label Studio{where}", remedy="export again, in the format called JSON"
    )
