"""Difficult units: those whose label is least sure, each with the way to its task in Label Studio."""

from __future__ import annotations

import numpy as np

from labelloop.report.classes import shown_label
from labelloop.report.distribution import distribution
from labelloop.report.section import Grid, Link, Section, Source

_ROWS = 20


def difficult_section(source: Source) -> Section:
    """Return how sure labels are, and the 20 least sure ones."""
    labels = source.tables["labels"].sort_by([("confidence", "ascending"), ("unit_id", "ascending")]).to_pylist()
    if not labels:
        return Section("difficult", "Difficult units", "No unit is labelled yet.")
    tasks = {row["unit_id"]: row for row in source.tables["tasks"].to_pylist()}
    rows = [
        (
            _task(source, tasks.get(row["unit_id"])),
            row["control"],
            shown_label(source, row["control"], row["label"]) if row["label"] else "",
            row["confidence"],
            row["n"],
        )
        for row in labels[:_ROWS]
    ]
    chart, counts = distribution(
        np.array([row["confidence"] for row in labels]),
        of="confidence",
        counted="labels",
        said="How sure the labels are.",
        extent=(0.0, 1.0),
    )
    heads = ("task", "question", "label", "confidence", "opinions")
    lead = "The least sure labels first: where the guidelines may need an example."
    return Section("difficult", "Difficult units", lead, (chart,), (Grid("Least sure labels", heads, rows), counts))


def _task(source: Source, task: dict[str, int] | None) -> Link | str:
    if task is None:
        return "no task"
    name = f"task {task['task_id']}"
    if source.label_studio is None:
        return name
    place = f"{source.label_studio.rstrip('/')}/projects/{task['ls_project']}/data?task={task['task_id']}"
    return Link(place, name)
