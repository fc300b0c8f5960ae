"""Tasks of a Label Studio export (JSON): what is read of them, whatever else they hold, and what an annotation lacks.

Where the file is cut into tasks is the business of `deployments/cli/export_file.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from types import NoneType
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# How bytes fail that are no JSON of the asked shape, or no text at all.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError)
_UNIT: Final = re.compile("[0-9a-f]{32}")
_LARGEST: Final = 2**63 - 1
_NUMBERS: Final = frozenset([int, NoneType])  # not bool, though Arrow would take it
_RESULT: Final = msgspec.json.Decoder()
_MOMENT: Final = pa.timestamp("us", tz="UTC")


class _Prediction(msgspec.Struct):
    """What an annotation was made from."""

    result: msgspec.Raw = msgspec.Raw(b"null")


_PREDICTION: Final = msgspec.json.Decoder(_Prediction)


class Annotation(msgspec.Struct, gc=False):
    """One annotation; `result` and `prediction` stay JSON until they are asked for, the others may be anything."""

    id: Any = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    completed_by: Any = None
    was_cancelled: Any = None
    lead_time: Any = None
    parent_prediction: Any = None
    prediction: msgspec.Raw = msgspec.Raw(b"null")
    created_at: Any = None
    updated_at: Any = None

    @property
    def author(self) -> Any:
        """Whoever made it, whom some exports give among that person's names."""
        given = self.completed_by
        return given.get("id") if isinstance(given, dict) else given

    @property
    def prediction_speaks(self) -> bool:
        """Whether the prediction it was made from says something; some only give a task its place in the queue."""
        try:
            return bytes(_PREDICTION.decode(self.prediction).result) != b"[]"
        except UNREADABLE:  # other exports give its number alone, or nothing
            return True

    def items(self) -> list[Any] | None:
        """Return what was answered; None if that is no list."""
        try:
            found = _RESULT.decode(self.result)
        except (*UNREADABLE, RecursionError):  # what is passed over is not looked at as closely
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


# Stands for a task of which nothing can be read, since brackets are nested deeper than any of Label Studio's.
TOO_DEEP: Final = Task(annotations=[None])
_NOTHING: Final = Annotation()


def facts_of(tasks: Sequence[Task | None]) -> tuple[list[Annotation], pa.Table]:
    """Return the annotations of some tasks, and what each says beside its answers; a task without a list has one.

    Columns: `annotation_id, task_id, unit_id, author, lead_time, prediction_shown, created_at, updated_at`, and in
    `rule` why the row cannot be used, null where it can.
    """
    lists = [[None] if task is None or task.annotations is None else task.annotations for task in tasks]
    made = [annotation or _NOTHING for annotation in chain.from_iterable(lists)]
    task_of = pa.array(np.repeat(np.arange(len(lists)), [*map(len, lists)]))
    numbers = whole_numbers([task.id if task and task.annotations is not None else None for task in tasks])
    numbers = pc.if_else(pc.greater_equal(numbers, 0), numbers, None)
    ids = whole_numbers([annotation.id for annotation in made])
    columns = {
        "annotation_id": _prefixed(ids),
        "task_id": numbers.take(task_of),
        "unit_id": pa.array([*map(_unit, tasks, numbers.to_pylist())], pa.string()).take(task_of),
        "author": _authors([annotation.author for annotation in made], ids),
        "lead_time": _lengths([annotation.lead_time for annotation in made]),
        "prediction_shown": pa.array(
            [one.parent_prediction is not None and one.prediction_speaks for one in made], pa.bool_()
        ),
        "created_at": moments([annotation.created_at for annotation in made]),
        "updated_at": moments([annotation.updated_at for annotation in made]),
    }
    too_deep = pa.array([task is TOO_DEEP for task in tasks], pa.bool_()).take(task_of)
    return made, pa.table({**columns, "rule": _rules(columns, too_deep)})


def _unit(task: Task | None, number: int | None) -> str | None:
    """Return the unit that labelloop made a task for; else its number in hexadecimal digits."""
    unit = task.data.unit if task and isinstance(task.data, Data) else None
    if isinstance(unit, str) and _UNIT.fullmatch(unit):
        return unit
    return None if number is None else f"{number:032x}"


def _prefixed(numbers: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("export:", numbers.cast(pa.string()), "")


def _authors(given: Sequence[Any], annotation_ids: pa.Array) -> pa.Array:
    """Return who made each annotation; where that account was deleted, somebody of its own, below zero."""
    nobody = pa.array([author is None for author in given], pa.bool_())
    return pc.if_else(nobody, pc.negate(annotation_ids), whole_numbers(given))


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


def whole_numbers(given: Sequence[Any]) -> pa.Array:
    """Return whole numbers of 64 bits, also those that are written as a text; null for anything else.

    >>> whole_numbers([7, "7", 7.5, True, None]).to_pylist()
    [7, 7, None, None, None]
    """
    if _NUMBERS.issuperset(map(type, given)):
        with suppress(OverflowError):
            return pa.array(given, pa.int64())
    return pa.array([*map(_whole_number, given)], pa.int64())


def _whole_number(value: Any) -> int | None:
    if type(value) is str and value.isdecimal():
        value = int(value)
    return value if type(value) is int and -_LARGEST <= value <= _LARGEST else None


def _lengths(given: Sequence[Any]) -> pa.Array:
    """Return lengths of time, null where there is none."""
    try:
        seconds = pa.array(given, pa.float64())
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        seconds = pa.array([*map(_length, given)], pa.float64())
    return pc.if_else(pc.and_(pc.greater_equal(seconds, 0), pc.is_finite(seconds)), seconds, None)


def _length(given: Any) -> float | None:
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError):
        return None


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
