"""Tasks of a Label Studio export (JSON): what is read of them, whatever else they hold, and what an annotation lacks.

Where the file is cut into tasks is the business of `deployments/cli/export_file.py`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

# How bytes fail that are no JSON of the asked shape, or no text at all.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError)
_UNIT: Final = re.compile("[0-9a-f]{32}")
_LARGEST: Final = 2**63 - 1
_RESULT: Final = msgspec.json.Decoder()
_MOMENT: Final = pa.timestamp("us", tz="UTC")


class Annotation(msgspec.Struct, gc=False):
    """One annotation; `result` stays JSON until `items` reads it, the others may be anything."""

    id: Any = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    completed_by: Any = None
    was_cancelled: Any = None
    lead_time: Any = None
    parent_prediction: Any = None
    created_at: Any = None
    updated_at: Any = None

    @property
    def author(self) -> int | None:
        """The number of whoever made it, which some exports give among that person's names."""
        given = self.completed_by
        return whole_number(given.get("id") if isinstance(given, dict) else given)

    @property
    def seconds(self) -> float | None:
        """How long it took; None where that is no length of time."""
        try:
            seconds = float(self.lead_time)
        except (TypeError, ValueError, OverflowError):
            return None
        return seconds if 0 <= seconds < math.inf else None

    def items(self) -> list[Any] | None:
        """Return what was answered; None if that is no list."""
        try:
            found = _RESULT.decode(self.result)
        except UNREADABLE:  # what is passed over is not looked at as closely
            return None
        return found if isinstance(found, list) else None


class Data(msgspec.Struct, gc=False):
    """What a task shows; only whose unit it is counts here."""

    unit: Any = None


class Task(msgspec.Struct, gc=False):
    """One task; without annotations it is none."""

    id: Any = None
    data: Data | list[Any] | str | float | bool | None = None
    annotations: list[Annotation | None] | None = None

    @property
    def number(self) -> int | None:
        """Its number on the server; None without annotations."""
        number = whole_number(self.id) if self.annotations is not None else None
        return number if number is not None and number >= 0 else None

    def unit(self, number: int) -> str:
        """Return the unit that labelloop made it for; else its number in hexadecimal digits."""
        unit = self.data.unit if isinstance(self.data, Data) else None
        return unit if isinstance(unit, str) and _UNIT.fullmatch(unit) else f"{number:032x}"


# Stands for a task of which nothing can be read, since brackets are nested deeper than any of Label Studio's.
TOO_DEEP: Final = Task(annotations=[None])
_NOTHING: Final = Annotation()
Given = tuple[Task | None, Annotation | None]


def annotations_in(tasks: Iterable[Task | None]) -> list[Given]:
    """Return each annotation with its task; a task without a list of them has one that is None."""
    return [
        (task, annotation)
        for task in tasks
        for annotation in ((None,) if task is None or task.annotations is None else task.annotations)
    ]


def facts_of(given: Sequence[Given]) -> pa.Table:
    """Return what annotations say beside their answers, one row each.

    `annotation_id, task_id, unit_id, author, lead_time, prediction_shown, created_at, updated_at`, and in `rule` why
    the row cannot be used, null where it can.
    """
    tasks = [task.number if task else None for task, _ in given]
    numbers = [whole_number(annotation.id) if annotation else None for _, annotation in given]
    units = [
        task.unit(number) if task and number is not None else None
        for (task, _), number in zip(given, tasks, strict=True)
    ]
    made = [annotation or _NOTHING for _, annotation in given]
    columns = {
        "annotation_id": pa.array([f"export:{n}" if n is not None else None for n in numbers], pa.string()),
        "task_id": pa.array(tasks, pa.int64()),
        "unit_id": pa.array(units, pa.string()),
        "author": pa.array([annotation.author for annotation in made], pa.int64()),
        "lead_time": pa.array([annotation.seconds for annotation in made], pa.float64()),
        "prediction_shown": pa.array([annotation.parent_prediction is not None for annotation in made], pa.bool_()),
        "created_at": moments([annotation.created_at for annotation in made]),
        "updated_at": moments([annotation.updated_at for annotation in made]),
    }
    too_deep = pa.array([task is TOO_DEEP for task, _ in given], pa.bool_())
    return pa.table({**columns, "rule": _rules(columns, too_deep)})


def _rules(columns: dict[str, pa.Array], too_deep: pa.Array) -> pa.Array:
    undated = pc.or_(columns["created_at"].is_null(), columns["updated_at"].is_null())
    broken = {
        "it is nested too deep to be read": too_deep,
        "it is no task with a number and annotations": columns["task_id"].is_null(),
        "its annotation has no number": columns["annotation_id"].is_null(),
        "its annotation does not say by whom it was made": columns["author"].is_null(),
        "its annotation does not say when it was made": undated,
    }
    return pc.case_when(pa.StructArray.from_arrays(list(broken.values()), list(broken)), *broken)


def whole_number(value: Any) -> int | None:
    """Return a whole number of 64 bits, also one that is written as a text; None for anything else.

    >>> whole_number(7), whole_number("7"), whole_number(7.5), whole_number(True)
    (7, 7, None, None)
    """
    if type(value) is str and value.isdecimal():
        value = int(value)
    return value if type(value) is int and -_LARGEST <= value <= _LARGEST else None


def moments(given: Sequence[Any]) -> pa.Array:
    """Return points in time, null where there is none; those without a zone are in UTC.

    >>> moments(["2026-11-21T23:50:00.5Z", "yesterday"]).is_valid().to_pylist()
    [True, False]
    """
    try:
        return pa.array(given, pa.string()).cast(_MOMENT)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_moment(one) for one in given], _MOMENT)


def _moment(given: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(given)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
