"""The demo's last words: the figures of the turns as text, computed from the lake alone, and where to look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from labelloop.turns import Figures, turn_figures
from tasks.clients.world import World

TABLES = (
    "agreement",
    "annotations",
    "annotators",
    "batches",
    "datasets",
    "evaluations",
    "labels",
    "models",
    "quarantine",
    "receipts",
)
TOLD = ("project", "pair", "annotator")  # the scopes of agreement that fit a summary; the report shows them all


def figures_of(world: World) -> Figures:
    """Return the figures of the project, from the lake."""
    return turn_figures({name: world.table(name).read() for name in TABLES})


def newest_report(world: World) -> bytes:
    """Return the page of the newest round."""
    pages = [
        path for path in world.published.list("reports/") if path.count("/") == 2 and path.endswith("/index.html")
    ]
    return world.published.read(max(pages, key=lambda path: int(path.split("/")[1])))


def summary_lines(figures: Figures) -> Iterator[str]:
    """Yield the summary line by line.

    Args:
        figures: as `labelloop.turns.turn_figures` gives them.
    """
    yield "Rounds"
    for row in figures["rounds"]:
        yield f"  {row['round']}: {row['units']} units, {row['annotations']} answers"
    yield "Agreement on planned opinions"
    for row in figures["agreement"]:
        if row["scope"] in TOLD:
            yield f"  {row['scope']:<9} {row['who'] or 'all':<31} {row['metric']:<19} {_figure(row)}"
    yield "Annotators, against the consensus of the others"
    for row in figures["annotators"]:
        yield f"  {row['annotator']}  {_annotator(row)}"
    yield "Accuracy of the loop's model"
    for row in figures["accuracy"]:
        accuracy = _interval(row["value"], row["low"], row["high"])
        model = (row["model_version"] or "unknown model")[:14]
        yield f"  round {row['round']}, {model}, {row['evidence']:<26} {accuracy} n={row['n']}"
    yield "The spec's strategy minus random labels at equal budget, simulated, paired by seed"
    for row in figures["comparison"]:
        interval = _interval(row["difference"], row["low"], row["high"], sign="+")
        yield f"  round {row['round']}: {row['active']:.3f} - {row['random']:.3f} = {interval} n={row['n']} seeds"
    yield f"Labels: {_counts(figures['labels'])}. Training sets: {_counts(figures['datasets'])}."
    yield f"Models: {_counts(figures['models'])}. Refused rows: {_counts(figures['quarantine'])}."
    yield f"Erasures carried out, with receipt: {figures['erasure']['receipts']}"


def _figure(row: dict[str, Any]) -> str:
    if row["reason"]:
        return f"none: {row['reason']}"
    return f"{_interval(row['value'], row['low'], row['high'])} n={row['n_units']} units"


def _annotator(row: dict[str, Any]) -> str:
    if row["accuracy"] is None:
        return f"n={row['n']}: too few answers to compare"
    accuracy = _interval(row["accuracy"], row["accuracy_low"], row["accuracy_high"])
    difference = _interval(row["difference"], row["difference_low"], row["difference_high"], sign="+")
    return f"{accuracy} n={row['n']}, difference {difference}{'  <- FLAGGED' if row['flagged'] else ''}"


def _interval(value: float, low: float, high: float, sign: str = "") -> str:
    return f"{value:{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {name}" for name, n in counts.items()) or "none"
