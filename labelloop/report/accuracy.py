"""Accuracy: how good the models became round by round, and how far their probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labelloop.report.charts import curves
from labelloop.report.section import Chart, Grid, Section, Source, interval

Rows = list[dict[str, Any]]


def accuracy_section(source: Source) -> Section:
    """Return the accuracy of the loop's models on audit units, and of the simulated arms, over the rounds."""
    loop, comparison = source.figures["accuracy"], source.figures["comparison"]
    if not loop and not comparison:
        return Section("accuracy", "Accuracy", "No model was evaluated yet.")
    chart = Chart(curves(_drawn(loop, comparison), title="accuracy"), "Accuracy after each round, with intervals.")
    lead = (
        "Measured on audit units, which are drawn at random and never trained on." if loop else "Simulated arms only."
    )
    grids = (*_measured(loop), *_compared(comparison), *_reliability(source), *_gains(source))
    return Section("accuracy", "Accuracy", lead, (chart,), grids)


def _drawn(loop: Rows, comparison: Rows) -> Rows:
    series = [row | {"series": f"the loop, {row['evidence']}"} for row in loop]
    for arm in ("active", "random"):
        series += [{"round": row["round"], "value": row[arm], "series": f"{arm}, simulated"} for row in comparison]
    keys = ("round", "value", "low", "high", "series")
    return [{key: row[key] for key in keys if row.get(key) is not None} for row in series]


def _measured(loop: Rows) -> Iterator[Grid]:
    cells = [(r["round"], r["evidence"], r["value"], interval(r["low"], r["high"]), r["n"]) for r in loop]
    if cells:
        yield Grid("The loop's models", ("round", "measured on", "accuracy", "95 % interval", "units"), cells)


def _compared(comparison: Rows) -> Iterator[Grid]:
    cells = [
        (r["round"], r["active"], r["random"], f"{r['difference']:+.3f}", interval(r["low"], r["high"]), r["n"])
        for r in comparison
    ]
    if cells:
        heads = ("round", "active", "random", "difference", "95 % interval", "seeds")
        yield Grid("Active against random labels at equal budget, paired by seed", heads, cells)


def _reliability(source: Source) -> Iterator[Grid]:
    """How far probabilities can be taken at their word."""
    cells = [
        (r["round"], r["metric"], r["value"], interval(r["low"], r["high"]), r["n"], r["evidence"])
        for r in source.figures["reliability"]
    ]
    if cells:
        heads = ("round", "figure", "value", "95 % interval", "units", "measured on")
        yield Grid("Reliability of the model's probabilities: errors are best at 0", heads, cells)


def _gains(source: Source) -> Iterator[Grid]:
    """What exploited batches taught beyond random labels."""
    cells = [
        (r["round"], r["strategy"], f"{r['difference']:+.3f}", interval(r["low"], r["high"]), r["detectable"], r["n"])
        for r in source.figures["gains"]
    ]
    if cells:
        heads = ("round", "strategy", "gain", "95 % interval", "would have shown", "audit units")
        yield Grid("What each batch taught beyond as many random labels, in accuracy", heads, cells)
