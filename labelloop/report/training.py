"""Training: labels by class, training sets, models, and how accurate they became round by round."""

from __future__ import annotations

import json
from collections import Counter

from labelloop.report.beside_model import beside_model
from labelloop.report.charts import bars, curves
from labelloop.report.classes import classes_of
from labelloop.report.section import Chart, Grid, Section, Source, interval


def accuracy_section(source: Source) -> Section:
    """Return the accuracy of the loop's models on audit units, and of the simulated arms, over the rounds."""
    loop, comparison = source.figures["accuracy"], source.figures["comparison"]
    if not loop and not comparison:
        return Section("accuracy", "Accuracy", "No model was evaluated yet.")
    series = [row | {"series": f"the loop, {row['evidence']}"} for row in loop]
    for arm in ("active", "random"):
        series += [{"round": row["round"], "value": row[arm], "series": f"{arm}, simulated"} for row in comparison]
    keys = ("round", "value", "low", "high", "series")
    drawn = [{key: row[key] for key in keys if row.get(key) is not None} for row in series]
    grids = []
    if loop:
        cells = [(r["round"], r["evidence"], r["value"], interval(r["low"], r["high"]), r["n"]) for r in loop]
        grids.append(Grid("The loop's models", ("round", "measured on", "accuracy", "95 % interval", "units"), cells))
    if comparison:
        against = [
            (r["round"], r["active"], r["random"], f"{r['difference']:+.3f}", interval(r["low"], r["high"]), r["n"])
            for r in comparison
        ]
        heads = ("round", "active", "random", "difference", "95 % interval", "seeds")
        grids.append(Grid("Active against random labels at equal budget, paired by seed", heads, against))
    grids += _trust(source)
    lead = (
        "Measured on audit units, which are drawn at random and never trained on." if loop else "Simulated arms only."
    )
    chart = Chart(curves(drawn, title="accuracy"), "Accuracy after each round, with intervals.")
    return Section("accuracy", "Accuracy", lead, (chart,), tuple(grids))


def _trust(source: Source) -> list[Grid]:
    """How far probabilities can be taken at their word, and what exploited batches taught beyond random labels."""
    grids = []
    if rows := source.figures["reliability"]:
        cells = [
            (r["round"], r["metric"], r["value"], interval(r["low"], r["high"]), r["n"], r["evidence"]) for r in rows
        ]
        heads = ("round", "figure", "value", "95 % interval", "units", "measured on")
        grids.append(Grid("Reliability of the model's probabilities: errors are best at 0", heads, cells))
    if gains := source.figures["gains"]:
        signed = [(g, f"{g['difference']:+.3f}") for g in gains]
        cells = [
            (g["round"], g["strategy"], gain, interval(g["low"], g["high"]), g["detectable"], g["n"])
            for g, gain in signed
        ]
        heads = ("round", "strategy", "gain", "95 % interval", "would have shown", "audit units")
        grids.append(Grid("What each batch taught beyond as many random labels, in accuracy", heads, cells))
    return grids


def labels_section(source: Source) -> Section:
    """Return the accepted labels by class, and how many conflicts wait for another opinion or an expert."""
    labels = source.tables["labels"]
    pairs = zip(*(labels[c].to_pylist() for c in ("control", "label", "state")), strict=True)
    accepted: Counter[tuple[str, str]] = Counter()
    waiting: Counter[str] = Counter()
    for control, label, state in pairs:
        if state == "accepted":
            accepted.update((control, name) for name in classes_of(source, control, label))
        else:
            waiting[control] += 1
    n_accepted = labels.num_rows - sum(waiting.values())
    if not labels.num_rows:
        return Section("labels", "Labels", "No unit is labelled yet.")
    lead = (
        f"{n_accepted:,} labels accepted; {sum(waiting.values()):,} in conflict, which wait for another "
        f"opinion or an expert. A label less sure than {source.spec.quality.accept_confidence:.2f} is a conflict."
    )
    charts, grids = [], []
    for control in sorted({*waiting, *(control for control, _ in accepted)}):
        counts = sorted((label, n) for (name, label), n in accepted.items() if name == control)
        if counts:
            drawn = [{"label": label, "labels": n} for label, n in counts]
            charts.append(
                Chart(bars(drawn, category="label", count="labels"), f"{control}: accepted labels of each class.")
            )
        charts += beside_model(source, control)
        cells = [*counts, ("in conflict", waiting[control])]
        grids.append(Grid(f"{control}: labels per class", ("label", "units"), cells))
    return Section("labels", "Labels and conflicts", lead, tuple(charts), tuple(grids))


def datasets_section(source: Source) -> Section:
    """Return every training set with its splits, and every model with the reason why it scores or not."""
    sets = source.tables["datasets"].sort_by("created_at").to_pylist()
    models = source.tables["models"].sort_by("created_at").to_pylist()
    if not sets:
        return Section("datasets", "Training sets and models", "No training set was published yet.")
    published = [
        (
            row["dataset_version"],
            row["round"],
            row["n_rows"],
            ", ".join(f"{name} {n}" for name, n in json.loads(row["splits"]).items() if n),
            row["state"] if row["replaced_by"] is None else f"erased, replaced by {row['replaced_by']}",
        )
        for row in sets
    ]
    trained = [
        (
            row["model_version"],
            row["dataset_version"],
            "distrusted: trained on what was erased" if row["trained_on_erased"] else _promotion(row["promoted"]),
            row["reason"],
        )
        for row in models
    ]
    grids = [Grid("Training sets", ("version", "round", "rows", "splits", "state"), published)]
    if trained:
        grids.append(Grid("Models", ("version", "training set", "state", "reason"), trained))
    lead = f"{len(sets)} training set(s) published, {len(models)} model(s) trained."
    return Section("datasets", "Training sets and models", lead, (), tuple(grids))


def _promotion(promoted: bool) -> str:
    return "promoted" if promoted else "kept aside"
