"""Answers that are one value: choices, sides, paths, numbers, texts, dates; of the whole object, or of each mark."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Final, NamedTuple

from labelloop.errors import InputError
from labelloop.interface.answer import Item, Marks, Reading

_TEXT: Final = frozenset([str])
_NUMBERS: Final = frozenset([float, int])
_LARGEST: Final = sys.float_info.max


class OfRegion(NamedTuple):
    """The answer to a question that is asked of one mark; one of the values is set."""

    region_id: str
    choices: list[str] | None = None
    number: float | None = None
    text: str | None = None


def read_values(items: list[Item], marks: Marks) -> Reading:
    """Return the one value, or one for each mark where the items bear the ids of marks.

    Raises:
        InputError: the value has another shape, or there are several for one object or mark.
    """
    control_type, column, read = VALUES[items[0]["type"]]
    ids = [item.get("id") for item in items] if marks.ids else []
    if not ids or not all(isinstance(one, str) and one in marks.ids for one in ids):
        if len(items) > 1:
            raise InputError("it was answered twice")
        return control_type, column, read(items[0]["value"])
    if len(set(ids)) < len(ids):
        raise InputError("it was answered twice for one region")
    if column not in OfRegion._fields:
        raise InputError("it cannot be asked of a region")
    values = [OfRegion(item["id"], **{column: read(item["value"])}) for item in items]
    return control_type, "per_region", values


def texts(value: Any, what: str) -> list[str]:
    """Return a list of distinct texts, at least one.

    Raises:
        InputError: it is none; the message names `what` it should be.
    """
    if len(found := _listed(value, what)) > 1 and len(set(found)) < len(found):
        raise InputError(f"one of its {what} is repeated")
    return found


def _listed(value: Any, what: str) -> list[str]:
    if not isinstance(value, list) or not value or not _TEXT.issuperset(map(type, value)):
        raise InputError(f"its {what} are not a list of texts")
    return value


def number(value: Any, what: str = "value") -> float:
    """Return a finite number.

    Raises:
        InputError: it is none; the message names `what` it should be.
    """
    # Not isinstance: True is no number. The comparison fails for NaN, infinity and whole numbers beyond any float.
    if type(value) not in _NUMBERS or not -_LARGEST <= value <= _LARGEST:
        raise InputError(f"its {what} is no number")
    return float(value)


def numbers(values: Sequence[Any], what: str) -> list[float]:
    """Return finite numbers; see `number`."""
    if _NUMBERS.issuperset(map(type, values)):
        try:
            if isfinite(sum(found := [*map(float, values)])):
                return found
        except OverflowError:  # a whole number beyond any float
            pass
    raise InputError(f"its {what} are not all numbers")


def _choices(value: Item) -> list[str]:
    return texts(value.get("choices"), "choices")


def _side(value: Item) -> list[str]:
    if value.get("selected") not in ("left", "right"):
        raise InputError("its side is neither left nor right")
    return [value["selected"]]


def _paths(value: Item) -> list[list[str]]:
    paths = value.get("taxonomy")
    if not isinstance(paths, list) or not paths:
        raise InputError("its paths are not a list")
    found = [_listed(path, "steps") for path in paths]  # what lies below a label may be called as it is
    if len({tuple(path) for path in found}) < len(found):
        raise InputError("one of its paths is repeated")
    return found


def _rating(value: Item) -> float:
    return number(value.get("rating"))


def _number(value: Item) -> float:
    return number(value.get("number"))


def _text(value: Item) -> str:
    lines = value.get("text")
    lines = [lines] if isinstance(lines, str) else lines
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise InputError("its text is not a list of texts")
    return "\n".join(lines)


def _moment(value: Item) -> str:
    moment = value.get("datetime")
    if not isinstance(moment, str) or not moment:
        raise InputError("its date is no text")
    return moment


# What Label Studio calls the kind: our word for it, its column, and what reads one value.
VALUES: Final[Mapping[str, tuple[str, str, Callable[[Item], Any]]]] = {
    "choices": ("choices", "choices", _choices),
    "pairwise": ("pairwise", "choices", _side),
    "taxonomy": ("taxonomy", "paths", _paths),
    "rating": ("rating", "number", _rating),
    "number": ("number", "number", _number),
    "textarea": ("text", "text", _text),
    "datetime": ("datetime", "text", _moment),
}
