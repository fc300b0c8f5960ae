"""One mark on an object, in the fields of the column `regions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Frame(NamedTuple):
    """Where a tracked object is in one key frame; not enabled: it is out of sight from there on."""

    frame: int
    points: Sequence[float | None]
    rotation: float | None
    enabled: bool


class Region(NamedTuple):
    """One mark; what its kind does not have is empty."""

    region_id: str
    labels: list[str]
    points: Sequence[float | None] | None = None
    rotation: float | None = None
    start: float | None = None
    end: float | None = None
    text: str | None = None
    frames: list[Frame] | None = None
