"""Marks along a text or a time: spans, segments, timelines, and tracks of what moves in a video.

Which control marked what is found out in `parse_regions.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from labelloop.errors import InputError
from labelloop.interface.answer import Item
from labelloop.interface.parse_shapes import rectangle_of, rotation_of
from labelloop.interface.parse_values import number
from labelloop.interface.region import Frame, Region


def _span(mark: str, labels: list[str], value: Item) -> list[Region]:
    text, offsets = value.get("text"), value.get("globalOffsets")
    ends = offsets if isinstance(offsets, dict) else value
    stretch = _stretch(mark, labels, *(_character(ends.get(end)) for end in ("start", "end")))
    return [stretch._replace(text=text if isinstance(text, str) else None)]


def _segment(mark: str, labels: list[str], value: Item) -> list[Region]:
    return [_stretch(mark, labels, *(_moment(value.get(end)) for end in ("start", "end")))]


def _timeline(mark: str, labels: list[str], value: Item) -> list[Region]:
    ranges = _dictionaries(value.get("ranges"), "ranges")
    return [_stretch(mark, labels, *(number(one.get(end), end) for end in ("start", "end"))) for one in ranges]


def _track(mark: str, labels: list[str], value: Item) -> list[Region]:
    frames = [_frame(key) for key in _dictionaries(value.get("sequence"), "key frames")]
    return [Region(mark, labels, frames=frames)]


def _frame(key: Item) -> Frame:
    frame = number(key.get("frame"), "frame")
    return Frame(int(frame), rectangle_of(key), rotation_of(key), key.get("enabled") is not False)


def _stretch(mark: str, labels: list[str], start: float | None, end: float | None) -> Region:
    if start is not None and end is not None and end < start:
        raise InputError("a region ends before it starts")
    return Region(mark, labels, start=start, end=end)


def _character(place: Any) -> float | None:
    """Return a place in a text; of HTML and dialogues only a path is stored, and what it means the page knows."""
    return None if isinstance(place, str) else number(place, "start or end")


def _moment(place: Any) -> float:
    """Return a place in time; the dates of a time series become seconds since 1970 in UTC."""
    if not isinstance(place, str):
        return number(place, "start or end")
    try:
        found = datetime.fromisoformat(place)
    except ValueError:
        raise InputError("its start or end is neither a number nor a date") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _dictionaries(value: Any, what: str) -> list[Item]:
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise InputError(f"its {what} are not a list")
    return value


STRETCHES: Final[Mapping[str, Callable[[str, list[str], Item], list[Region]]]] = {
    "span": _span,
    "segment": _segment,
    "timeline": _timeline,
    "track": _track,
}
