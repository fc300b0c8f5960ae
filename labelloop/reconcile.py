"""What Label Studio should hold and what it holds: the difference, as things to do.

Decides only, task by task as they are read; what is read stands in `tasks/survey.py`, the doing in `tasks/push.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.interface.changes import Losses, Renames
from labelloop.push import Contents, Wanted, is_blind
from labelloop.spec import ProjectSpec
from labelloop.task_data import addresses_in, task_data
from labelloop.workbench import RemoteTask

_CHUNK = 5_000  # tasks compared at a time
Row = dict[str, Any]


@dataclass(frozen=True)
class Strays:
    """Tasks on the server that the lake does not know: left by an interrupted run, or by a late import.

    `adopted`: the task to keep for a unit that has none. `surplus`: unanswered doubles and orphans, to be deleted.
    `foreign`: tasks of other people, and answered doubles, left alone.
    """

    adopted: dict[str, RemoteTask]
    surplus: list[RemoteTask]
    foreign: list[RemoteTask]


def sort_strays(strays: Iterable[RemoteTask], missing: Collection[str], version: str) -> Strays:
    """Return what to do about each unknown task.

    Args:
        strays: tasks on the server without a row in the lake.
        missing: units that wait for a task.
        version: whose predictions order the queue; an unanswered task with another one is not worth keeping.

    Of several tasks for one unit the one with most answers is kept, then the oldest.

    >>> from datetime import UTC, datetime
    >>> twins = [RemoteTask(n, "u1", 1, False, datetime(2026, 1, 1, tzinfo=UTC), versions="m") for n in (8, 7)]
    >>> found = sort_strays(twins, {"u1"}, "m")
    >>> found.adopted["u1"].task_id, [task.task_id for task in found.surplus]
    (7, [8])
    """
    adopted: dict[str, RemoteTask] = {}
    surplus, foreign = [], []
    for task in sorted(strays, key=lambda task: (-len(task.annotations), task.task_id)):
        is_fit = task.versions == version or task.annotations
        if task.unit_id in missing and task.unit_id not in adopted and is_fit:
            adopted[task.unit_id] = task
        elif task.unit_id and not task.annotations:
            surplus.append(task)
        else:
            foreign.append(task)
    return Strays(adopted, surplus, foreign)


@dataclass
class Inspection:
    """What the tasks that were looked at differ in; fills up as they are read.

    `known`: tasks with a row in the lake. `overlaps_reset`: the project's own overlap will be set, which resets all.
    Of open tasks: `overlaps` to set, `reopened` to hand out again, `unscored` that have not the one right prediction,
    `finished` waiting for collect. Of answered ones as well: `readdressed`, what they should show. Of all tasks:
    `renamed`, annotations in old names; `spare`, predictions beyond one each that stay.
    """

    spec: ProjectSpec
    wanted: Wanted
    known: Collection[int]
    renames: Renames
    losses: Losses
    contents: Contents
    overlaps_reset: bool = False
    present: set[int] = field(default_factory=set)
    strays: list[RemoteTask] = field(default_factory=list)
    overlaps: dict[int, int] = field(default_factory=dict)
    reopened: set[int] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)
    unscored: set[int] = field(default_factory=set)
    readdressed: dict[int, Row] = field(default_factory=dict)
    renamed: list[int] = field(default_factory=list)
    spare: int = 0

    def look_at(self, tasks: Iterable[RemoteTask]) -> None:
        """Compare tasks of the server with what is wanted of them."""
        reading = iter(tasks)
        while chunk := list(islice(reading, _CHUNK)):
            rows = _by_task(self.wanted.live, [task.task_id for task in chunk])
            contents = self.contents(list(rows.values()))
            for task in chunk:
                self._look_at(task, rows.get(task.task_id), contents)

    def _look_at(self, task: RemoteTask, row: Row | None, contents: Mapping[str, bytes]) -> None:
        self._compare_answers(task)
        if task.task_id not in self.known:
            self.strays.append(task)
            return
        self.present.add(task.task_id)
        is_waiting = row is not None and row["state"] == "open" and not task.finished
        self.spare += 0 if is_waiting else task.predictions - 1
        if row is not None:
            self._compare_media(task, row, contents)
            if row["state"] == "open":
                self.compare_queue(task, row["overlap"], row["queue_version"], row["queue_score"])

    def _compare_media(self, task: RemoteTask, row: Row, contents: Mapping[str, bytes]) -> None:
        """Compare what a task shows; once it has answers it stays as it was seen, though media may have moved."""
        data = task_data(self.spec, row, contents=contents, blind=is_blind(self.spec, row["unit_id"]))
        if isinstance(data, str):
            return
        if task.annotations:
            differs = not set(addresses_in(data)) <= set(task.media)
        else:
            differs = any(task.data.get(name) != value for name, value in data.items())
        if differs:
            self.readdressed[task.task_id] = {"unit_id": row["unit_id"], "data": {**task.data, **data}}

    def compare_queue(self, task: RemoteTask, overlap: int, version: str, score: float) -> None:
        """Compare how an open task is handed out, once overlaps were reset if they will be, with how it should be."""
        is_finished = task.answers > 0 if self.overlaps_reset else task.finished
        if overlap != (1 if self.overlaps_reset else task.overlap):
            self.overlaps[task.task_id] = overlap
        if task.answers >= overlap:
            self.finished.add(task.task_id)
        elif is_finished:
            self.reopened.add(task.task_id)
        elif task.predictions != 1 or task.versions != version or not _is_near(task.score, score):
            self.unscored.add(task.task_id)

    def _compare_answers(self, task: RemoteTask) -> None:
        for annotation in task.annotations:
            told = self.renames.apply(annotation.result)
            if told != list(annotation.result):
                self.renamed.append(annotation.annotation_id)
            self.losses.look_at(told)


def _is_near(score: float | None, wanted: float) -> bool:
    """Return whether a score is the wanted one, to six digits; what does not order the queue has none."""
    return score is None or abs(score - wanted) < 1e-6


def _by_task(live: pa.Table, numbers: Collection[int]) -> Mapping[int, Row]:
    asked = pc.is_in(live["task_id"], pa.array(numbers, pa.int64()))
    return {row["task_id"]: row for row in live.filter(asked).to_pylist()}
