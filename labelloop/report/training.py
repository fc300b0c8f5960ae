"""Training: labels by class, conflicts, training sets and models."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from labelloop.report.beside_model import beside_model
from labelloop.report.charts import bars
from labelloop.report.classes import classes_of
from labelloop.report.section import Chart, Grid, Section, Source


def labels_section(source: Source) -> Section:
    """Return the accepted labels by class, and how many conflicts wait for another opinion or an expert."""
    n_labels = source.tables["labels"].num_rows
    if not n_labels:
        return Section("labels", "Labels", "No unit is labelled yet.")
    accepted, waiting = _counted(source)
    n_waiting = sum(waiting.values())
    lead = (
        f"{n_labels - n_waiting:,} labels accepted; {n_waiting:,} in conflict, which wait for another "
        f"opinion or an expert. A label less sure than {source.spec.quality.accept_confidence:.2f} is a conflict."
    )
    charts: list[Chart] = []
    grids = []
    for control in sorted({*waiting, *(control for control, _ in accepted)}):
        counts = sorted((label, n) for (name, label), n in accepted.items() if name == control)
        charts += [*_bars(control, counts), *beside_model(source, control)]
        cells = [*counts, ("in conflict", waiting[control])]
        grids.append(Grid(f"{control}: labels per class", ("label", "units"), cells))
    return Section("labels", "Labels and conflicts", lead, tuple(charts), tuple(grids))


def _counted(source: Source) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """How many accepted labels each class of each question has, and how many conflicts each question."""
    labels = source.tables["labels"]
    accepted: Counter[tuple[str, str]] = Counter()
    waiting: Counter[str] = Counter()
    for control, label, state in zip(*(labels[c].to_pylist() for c in ("control", "label", "state")), strict=True):
        if state == "accepted":
            accepted.update((control, name) for name in classes_of(source, control, label))
        else:
            waiting[control] += 1
    return accepted, waiting


def _bars(control: str, counts: list[tuple[str, int]]) -> Iterator[Chart]:
    drawn = [{"label": label, "labels": n} for label, n in counts]
    if drawn:
        yield Chart(bars(drawn, category="label", count="labels"), f"{control}: accepted labels of each class.")


def datasets_section(source: Source) -> Section:
    """Return every training set with its splits, and every model with the reason why it scores or not."""
    sets = source.tables["datasets"].sort_by("created_at").to_pylist()
    models = source.tables["models"].sort_by("created_at").to_pylist()
    if not sets:
        return Section("datasets", "Training sets and models", "No training set was published yet.")
    grids = [Grid("Training sets", ("version", "round", "rows", "splits", "state"), list(map(_published, sets)))]
    if models:
        grids.append(Grid("Models", ("version", "training set", "state", "reason"), list(map(_trained, models))))
    lead = f"{len(sets)} training set(s) published, {len(models)} model(s) trained."
    return Section("datasets", "Training sets and models", lead, (), tuple(grids))


def _published(row: dict[str, Any]) -> tuple[Any, ...]:
    splits = ", ".join(f"{name} {n}" for name, n in json.loads(row["splits"]).items() if n)
    state = row["state"] if row["replaced_by"] is None else f"erased, replaced by {row['replaced_by']}"
    return row["dataset_version"], row["round"], row["n_rows"], splits, state


def _trained(row: dict[str, Any]) -> tuple[Any, ...]:
    state = "promoted" if row["promoted"] else "kept aside"
    if row["trained_on_erased"]:
        state = "distrusted: trained on what was erased"
    return row["model_version"], row["dataset_version"], state, row["reason"]
