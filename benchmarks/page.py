"""The page of figures, written from the JSON that the parts left; a test compares the two."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.parts import Figures

FIGURES = Path(__file__).parent.parent / "docs" / "benchmarks.json"
_HEAD = (
    "# Benchmarks",
    "",
    "Written by `make bench`; do not edit. `python -m benchmarks --only NAME` runs one part and keeps the figures of",
    "the others. The machine may have been busy with other work (see its load): compare ratios, each from one run.",
)


def benchmarks_page() -> str:
    """Return `docs/benchmarks.md` for the figures in `docs/benchmarks.json`."""
    parts = json.loads(FIGURES.read_text(encoding="utf-8"))
    lines = [*_HEAD, *(line for name, figures in parts.items() for line in _section(name, figures))]
    return "\n".join(lines) + "\n"


def part_tables(name: str) -> list[str]:
    """Return what a part found, as Markdown lines for other pages: its tables and what they were measured on."""
    return _tables(json.loads(FIGURES.read_text(encoding="utf-8"))[name])


def _section(name: str, figures: Figures) -> list[str]:
    about = f"Part `{name}`. {' '.join(figures['about'])}"
    return ["", f"## {figures['title']}", "", *_wrapped(about), *_tables(figures)]


def _tables(figures: Figures) -> list[str]:
    lines: list[str] = []
    for heading, rows in figures["tables"].items():
        lines += ["", f"### {heading}", "", *table(rows)]
    measured = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in figures["measured_on"].items())
    return [*lines, "", *_wrapped(f"Measured on: {measured}.")]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return rows of equal keys as the lines of a Markdown table, columns of numbers to the right.

    >>> table([{"stage": "sync", "s": 1234.5}])
    ['| stage | s |', '| --- | ---: |', '| sync | 1,230 |']
    """
    if not rows:
        return ["(none)"]
    sides = ["---:" if isinstance(value, int | float) else "---" for value in rows[0].values()]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    return [f"| {' | '.join(line)} |" for line in ([*rows[0]], sides, *cells)]


def _cell(value: object) -> str:
    """Return a number with three digits that count and thousands apart, anything else as it is."""
    if isinstance(value, float):
        digits = f"{value:.3g}"
        return f"{float(digits):,.0f}" if abs(value) >= 100 else digits
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
