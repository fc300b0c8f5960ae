"""Confusion: which label annotators take for which."""

from __future__ import annotations

from collections import Counter

from labelloop.report.charts import matrix
from labelloop.report.section import Chart, Grid, Section, Source

_ROWS = 20


def confusion_section(source: Source) -> Section:
    """Return what the answers of all annotators were where the label is known, and the labels most often confused."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for cells in source.tables["annotators"]["confusion"].to_pylist():
        counts.update({(cell["control"], cell["truth"], cell["answer"]): cell["n"] for cell in cells or ()})
    if not counts:
        return Section("confusion", "Confusion", "No answer could be held against a label yet.")
    charts = []
    for control in sorted({control for control, _, _ in counts}):
        drawn = [{"label": t, "answer": a, "answers": n} for (c, t, a), n in sorted(counts.items()) if c == control]
        said = f"{control}: what was answered, by what the label is."
        charts.append(Chart(matrix(drawn, across="answer", down="label", value="answers", form=","), said))
    wrong = Counter({cell: n for cell, n in counts.items() if cell[1] != cell[2]})
    rows = [(*cell, n) for cell, n in wrong.most_common(_ROWS)]
    grid = Grid("Labels most often confused", ("question", "label", "answered", "answers"), rows)
    lead = f"{wrong.total():,} of {counts.total():,} answers differ from the label."
    return Section("confusion", "Confusion", lead, tuple(charts), (grid,) if rows else ())
