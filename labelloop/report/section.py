"""What a section of the report is made of, and how its texts and numbers are written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa

from labelloop.spec import ProjectSpec
from labelloop.turns import Figures, turn_figures

_LONGEST = 40
_NONE = "\u2013"


@dataclass(frozen=True)
class Source:
    """What the report is made from: spec, tables of the lake by name, when; where Data Docs and Label Studio are."""

    spec: ProjectSpec
    tables: Mapping[str, pa.Table]
    at: datetime
    data_docs: str | None = None
    label_studio: str | None = None

    @cached_property
    def figures(self) -> Figures:
        """The figures of `labelloop.turns`, the same that the command line shows."""
        return turn_figures(self.tables)


@dataclass(frozen=True)
class Chart:
    """A drawing as SVG, and in words what it shows; the figures themselves stand in a table beside it."""

    svg: str
    description: str


@dataclass(frozen=True)
class Grid:
    """A table: caption, column heads, rows of cells; numbers are written by `number`."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Link:
    """A cell that leads to a place."""

    href: str
    text: str


@dataclass(frozen=True)
class Section:
    """One heading of the report; `anchor` is its name within the page."""

    anchor: str
    title: str
    lead: str
    charts: tuple[Chart, ...] = ()
    grids: tuple[Grid, ...] = ()
    link: tuple[str, str] | None = None


@dataclass(frozen=True)
class Tile:
    """One figure at the head of the page; `is_alarm` asks for attention."""

    name: str
    value: str
    note: str = ""
    is_alarm: bool = False


def clean(text: str) -> str:
    r"""Return a text of one line without control characters: labels are what strangers typed.

    >>> clean("a\x00b\n c") == "a\ufffdb c"
    True
    """
    return " ".join("".join(c if c.isprintable() or c.isspace() else "\ufffd" for c in text).split())


def short(text: str) -> str:
    """Return a clean text of at most 40 characters.

    >>> len(short("a" * 50))
    40
    """
    cleaned = clean(text)
    return cleaned if len(cleaned) <= _LONGEST else cleaned[: _LONGEST - 1] + "…"


def number(value: float | None) -> str:
    """Return a figure with three digits behind the point, a count without, a dash for none.

    >>> number(0.81251), number(3000)
    ('0.813', '3,000')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _NONE
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Return both ends of an interval, a dash for none.

    >>> interval(0.1, 0.25)
    '0.100 to 0.250'
    """
    return _NONE if low is None or high is None else f"{number(float(low))} to {number(float(high))}"
