"""Workers: processes that read blocks of one export side by side.

Each finds its blocks by itself: they end where a task seems to begin as the first one did. Decoding a block tells
whether that was so; where it fails, or a worker is lost, the process that began them reads on alone.
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TypeVar

import msgspec
import pyarrow as pa

from deployments.cli.ahead import ahead
from deployments.cli.export_file import BLOCK, Tasks, as_list, opening_of, size_of, tasks_in
from labelloop.conversion import Part, PartReader
from labelloop.export_tasks import UNREADABLE

T = TypeVar("T")
_GLANCE: Final = 1 << 16  # bytes in which the next task is looked for at first
_MOST: Final = 4  # one process cannot write what more of them read
_PIPE: Final = 1 << 20  # bytes on their way: with Linux's usual 64 KiB, processes wait for each other
_TASKS: Final = msgspec.json.Decoder(Tasks)


class _Blocks(NamedTuple):
    """Of the blocks of a file, every `step`th from the one at `place` on."""

    export: Path
    size: int
    place: int
    step: int

    def read(self) -> Iterator[tuple[memoryview, int]]:
        """Yield each block as a list of tasks, good until the next is asked for, and where it ends."""
        text = bytearray(BLOCK + _GLANCE)  # used again: to be given new memory takes as long as to read
        with self.export.open("rb") as file:
            opening = opening_of(as_list(bytearray(file.read(_GLANCE)), 0))
            end = 0
            for begin in range(self.place * BLOCK, self.size, self.step * BLOCK):
                start = self._edge(file, opening, begin, end)
                end = self._edge(file, opening, begin + BLOCK, start)
                if start == end:  # one task begins before it and ends behind it
                    yield memoryview(b"[]"), end
                    continue
                if end - start >= len(text):
                    text = bytearray(end - start + _GLANCE)
                file.seek(start)
                length = file.readinto(memoryview(text)[: end - start])
                text[length] = ord("]" if end < self.size else " ")
                if start:
                    text[0] = ord("[")
                yield memoryview(text)[: length + 1], end

    def _edge(self, file: BinaryIO, opening: re.Pattern[bytes], place: int, last: int) -> int:
        """Return where the first comma between tasks is that does not stand before a place of the file.

        The last edge is that of many places if a task is large, which would else be looked through for each.
        """
        if place <= last:
            return last
        glance = _GLANCE
        while place < self.size:
            file.seek(place)
            text = file.read(glance)
            if found := opening.search(text):
                return place + found.start()
            if len(text) < glance:
                break
            glance *= 2
        return self.size


class _Head(msgspec.Struct, array_like=True):
    """What goes before the tables of a part: where its block ends, how many tasks that has, and the rest of it."""

    end: int
    tasks: int
    annotations: int
    annotators: list[str]
    controls: dict[str, str]


_HEAD: Final = msgspec.json.Decoder(_Head)


@contextmanager
def parts_in(export: Path, reader: PartReader) -> Iterator[Iterator[Part]]:
    """Give the parts of an export in its order, read by as many processes as are worth it.

    To be entered by the main thread and before there are others, since the process is forked: a new one would have to
    import all anew, which takes as long as most exports. Elsewhere than on Linux it reads alone.

    Raises:
        InputError: see `tasks_in`; when the part is taken.
    """
    size = size_of(export)
    count = min(_processors(), size // BLOCK, _MOST)
    with ExitStack() as stack:
        pipes: list[Connection] = []
        if count > 1:
            blocks = [_Blocks(export, size, place, count) for place in range(count)]
            with suppress(OSError), _uninterrupted():  # so many processes or open files may not be allowed
                pipes = [stack.enter_context(_worker(reader, some)) for some in blocks]
        yield _parts(export, size, reader, pipes)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put interrupts off until the block is over: what Python does right after a fork would only print them."""
    interrupts: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: interrupts.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if interrupts:
        signal.raise_signal(signal.SIGINT)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@contextmanager
def _worker(reader: PartReader, blocks: _Blocks) -> Iterator[Connection]:
    processes = multiprocessing.get_context("fork")
    taking, giving = processes.Pipe(duplex=False)
    with suppress(OSError):  # so much may not be allowed
        fcntl.fcntl(giving, fcntl.F_SETPIPE_SZ, _PIPE)
    worker = processes.Process(target=_work, args=(reader, blocks, taking, giving), daemon=True)
    worker.start()
    giving.close()
    try:
        yield taking
    finally:
        worker.terminate()
        worker.join()
        taking.close()  # last, since a thread may still read of it


def _parts(export: Path, size: int, reader: PartReader, pipes: Sequence[Connection]) -> Iterator[Part]:
    end = tasks = 0
    for head, part in _in_turn([ahead(_taken(pipe)) for pipe in pipes]):
        end, tasks = head.end, tasks + head.tasks
        yield part
    if not end or end < size:
        yield from map(reader.read, tasks_in(export, end, tasks))


def _in_turn(given: Sequence[Iterator[T]]) -> Iterator[T]:
    """Yield an item of each in turn, until one has none."""
    with suppress(StopIteration):
        for one in cycle(given):
            yield next(one)


def _work(reader: PartReader, blocks: _Blocks, taking: Connection, giving: Connection) -> None:
    """Give a part for each block, in their order; stop where one is no list of tasks, has no room or no taker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ended by the process that began it
    taking.close()  # so that the pipe breaks when that process is gone
    with suppress(*UNREADABLE, RecursionError, MemoryError, OSError):
        for text, end in blocks.read():
            _give(giving, *_part(reader, text, end))


def _part(reader: PartReader, text: memoryview, end: int) -> tuple[_Head, Part]:
    tasks = _TASKS.decode(text)
    part = reader.read(tasks)
    return _Head(end, len(tasks), part.annotations, part.annotators, part.controls), part


def _give(pipe: Connection, head: _Head, part: Part) -> None:
    pipe.send_bytes(msgspec.json.encode(head))
    for table in (part.answers, part.skipped, part.refused):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        pipe.send_bytes(sink.getvalue())


def _taken(pipe: Connection) -> Iterator[tuple[_Head, Part]]:
    """Yield the parts that a worker gives, until it has no more or is lost."""
    with suppress(EOFError, OSError):
        while True:
            head = _HEAD.decode(pipe.recv_bytes())
            answers, skipped, refused = (pa.ipc.open_stream(pipe.recv_bytes()).read_all() for _ in range(3))
            yield head, Part(head.annotations, head.annotators, head.controls, answers, skipped, refused)
