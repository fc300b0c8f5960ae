"""Several processes read one export as one process does, whatever happens to them.

Each run has a process of its own to be forked, since the one of the tests has threads.
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from deployments.cli import export_workers
from deployments.cli.convert_verb import convert_file
from deployments.cli.export_workers import _Blocks

pytestmark = pytest.mark.slow

UNIT = "0123456789abcdef" * 2
CHOICE = {"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": ["7"]}}
STARS = {"from_name": "digit", "to_name": "image", "type": "rating", "value": {"rating": 4}}
MOMENT = "2026-11-21T23:50:00.914371Z"
# Converts what it is told to by three workers, with blocks as small as a test needs them.
SCRIPT = """
import json, os, signal, sys
from pathlib import Path
from deployments.cli import export_workers as workers
from deployments.cli.convert_verb import convert_file
workers.BLOCK, workers._GLANCE, workers._processors = int(sys.argv[3]), 100, lambda: 3
{first}
print(json.dumps(convert_file(Path(sys.argv[1]), Path(sys.argv[2]))))
"""
ALONE = "workers.tasks_in = None"  # nobody can read on alone
LOST = """
read = workers._part
def part(reader, text, end):
    if end > 30_000:
        os.kill(os.getpid(), signal.SIGKILL)
    return read(reader, text, end)
workers._part = part
"""
CRAMPED = """
def no_room(reader, text, end):
    raise MemoryError
workers._part = no_room
"""
# The second worker is one more than are allowed.
NO_MORE = """
fork = os.fork
def once():
    os.fork = refused
    return fork()
def refused():
    raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = once
"""
INTERRUPTED = """
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGINT))
"""
STOPPED = """
workers._PIPE = 4096  # full at once
def take(pipe):
    print("begun", flush=True)
    signal.pause()
workers._taken = take
"""


def task(number, author=5, result=(CHOICE,), **more):
    answer = {"id": number, "completed_by": author, "result": list(result), "was_cancelled": not result}
    answer |= {"created_at": MOMENT, "updated_at": MOMENT}
    return {"id": number, "data": {"unit": UNIT}, "annotations": [answer]} | more


def begin(export: Path, out: Path, block=5000, first=""):
    command = [sys.executable, "-c", SCRIPT.format(first=first), str(export), str(out), str(block)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def tables(out: Path):
    return [pq.read_table(out / f"{name}.parquet") for name in ("annotations", "quarantine")]


def same(folder: Path, text: str, **how):
    """Whether an export is the same to several processes as to one."""
    export = folder / "export.json"
    export.write_text(text)
    told, failed = begin(export, folder / "several", **how).communicate(timeout=120)
    assert not failed
    figures = convert_file(export, folder / "one")
    assert json.loads(told) == figures
    return tables(folder / "several") == tables(folder / "one")


class Counted(io.BytesIO):
    """A file in memory that counts the bytes read of it."""

    count = 0

    def open(self, _mode):
        return self

    def read(self, size=-1):
        found = super().read(size)
        self.count += len(found)
        return found


RESULTS = [[CHOICE], [], [{"foo": 1}], [STARS], [CHOICE | {"meta": {"text": ["?"]}}]]
TASKS = [task(n, author=n * n % 11 if n % 13 else None, result=RESULTS[n % 5]) for n in range(200)]
NEIGHBOUR = {"id": 1, "data": {}, "annotations": [{"id": 1, "completed_by": 1}]}
ODD = [
    *TASKS[:50],
    task(1000, drafts=[NEIGHBOUR] * 100),  # a block would begin in it
    task(1001, data={"unit": UNIT, "text": ', {"id": 1, "data": {}}' * 300}),
    None,
    {},
    task(1002, data={"text": "x" * 20_000}),
    *TASKS[50:],
]


@pytest.mark.parametrize(
    "layout",
    [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": True}],
    ids=["usual", "lines", "dense", "sorted"],
)
def test_several_processes_read_what_one_reads(tmp_path: Path, layout):
    assert same(tmp_path, json.dumps(TASKS, **layout) + " \n", first=ALONE)


@pytest.mark.parametrize("block", [700, 5000])
def test_where_a_block_is_no_list_of_tasks_one_process_reads_on(tmp_path: Path, block):
    assert same(tmp_path, "\ufeff" + json.dumps(TASKS[:9]), block=block)
    assert same(tmp_path, json.dumps(ODD), block=block)


def test_a_task_larger_than_a_block_is_read_in_one_piece(tmp_path: Path):
    large = [task(n, data={"unit": UNIT, "text": "x" * 20_000 * (n % 5 == 3)}) for n in range(20)]
    assert same(tmp_path, json.dumps(large), first=ALONE)


@pytest.mark.parametrize("trouble", [LOST, CRAMPED, NO_MORE], ids=["lost", "cramped", "not allowed"])
def test_a_worker_that_is_lost_is_done_without(tmp_path: Path, trouble):
    assert same(tmp_path, json.dumps(TASKS), first=trouble)


def test_a_large_task_is_looked_through_once_not_for_each_block_in_it(monkeypatch):
    export = Counted(json.dumps([task(n, data={"unit": UNIT, "text": "x" * 100_000}) for n in range(3)]).encode())
    monkeypatch.setattr(export_workers, "BLOCK", 1000)
    size = len(export.getvalue())
    parts = [bytes(text) for text, _ in _Blocks(export, size, place=0, step=1).read()]
    assert sum(len(json.loads(text)) for text in parts) == 3
    assert export.count < 5 * size


@pytest.mark.parametrize(
    ("end", "where"),
    [('}, {"id": 1]', "from task 201 on"), ("", "from task 200 on"), ("}] more", "from task 200 on")],
)
def test_an_export_that_ends_badly_is_named_and_nothing_is_written(tmp_path: Path, end, where):
    export = tmp_path / "export.json"
    export.write_text(json.dumps(TASKS)[:-2] + end)
    _, failed = begin(export, tmp_path / "out").communicate(timeout=120)
    assert f"is no JSON export of Label Studio, {where}" in failed
    assert not [*(tmp_path / "out").iterdir()]


def test_an_interrupt_while_workers_begin_ends_the_conversion(tmp_path: Path):
    (tmp_path / "export.json").write_text(json.dumps(TASKS))
    process = begin(tmp_path / "export.json", tmp_path / "out", first=INTERRUPTED)
    _, failed = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT
    assert "ignored" not in failed
    assert not [*(tmp_path / "out").iterdir()]


def test_no_worker_outlives_the_process_that_began_it(tmp_path: Path):
    (tmp_path / "export.json").write_text(json.dumps(TASKS))
    process = begin(tmp_path / "export.json", tmp_path / "out", first=STOPPED)
    try:
        assert process.stdout.readline() == "begun\n"
        process.kill()
        process.communicate(timeout=30)  # the pipe ends when nobody can write into it any more
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
