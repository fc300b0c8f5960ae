"""Labels as classes that can be counted and shown: a report tells no text that somebody wrote, and no item."""

from __future__ import annotations

import json
from collections import Counter

from labelloop.report.section import Source


def classes_of(source: Source, control: str, label: str) -> list[str]:
    """Return what a label counts as: its buckets, one for each item; else one class."""
    kind = next((question.type for question in source.spec.interface.questions if question.name == control), "")
    if kind == "text":
        return ["a text"]
    if kind != "ranking":
        return [label]
    told = json.loads(label)
    if isinstance(told, dict):
        return [bucket for bucket, items in told.items() for _ in items]
    return [f"an order of {len(told)}"]


def shown_label(source: Source, control: str, label: str) -> str:
    """Return a label in few words."""
    counts = Counter(classes_of(source, control, label))
    return ", ".join(name if n == 1 else f"{n} x {name}" for name, n in counts.items())
