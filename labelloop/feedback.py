"""What an annotator is told of the own answers, as Markdown: figures and typical confusions, never a unit.

Nothing is told of single gold units, and no confusion comes from what gold or a repeat shows: it is asked still.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.interval import wilson
from labelloop.annotators import AnnotatorFigure, assess, confusions
from labelloop.opinions import answered, controls, opinions, split_rulings
from labelloop.repeats import units_shown_twice
from labelloop.sql import session

FEWEST: Final = 5  # answers to gold below which their share right would point at single units
_CONFUSIONS: Final = 5  # told at most
_OFTEN: Final = 2  # times: what happened once would point at a single unit
_WEEK: Final = timedelta(days=7)

_ON_GOLD = """
SELECT o.annotator, count(*) AS n, count(*) FILTER (o.value = l.label) AS correct
FROM opinions o JOIN units g ON g.unit_id = o.unit AND g.purpose IN ('gold', 'pilot')
JOIN units u ON u.ref_ids = g.ref_ids AND u.media_versions = g.media_versions AND u.unit_id <> g.unit_id
JOIN labels l ON l.unit_id = u.unit_id AND l.control = $control AND l.decided_by = 'expert'
GROUP BY o.annotator
"""


def feedback_pages(
    annotations: pa.Table, *, labels: pa.Table, units: pa.Table, experts: Collection[str], title: str, at: datetime
) -> dict[str, str]:
    """Return a page of Markdown for everybody who answered in the week before, by pseudonym; experts get none.

    Single choices are judged, of all weeks: on gold against what an expert said (from `FEWEST` answers), elsewhere
    against an expert's ruling or the consensus of the others (see `assess`). Other questions are named.

    Args:
        annotations: rows of the contract `annotations`, without confirmations.
        labels: rows of the contract `labels`.
        units: rows of the contract `units`.
        experts: pseudonyms of experts.
        title: of the project.
        at: the end of the week.
    """
    active = annotations.filter(pc.equal(annotations["state"], "active"))
    lately = active.filter(pc.greater(active["created_at"], pa.scalar(at - _WEEK, pa.timestamp("us", "UTC"))))
    counts = lately.group_by("annotator").aggregate([("annotation_id", "count_distinct")]).to_pylist()
    pages = {
        row["annotator"]: [
            f"# {title}: your week to {at:%Y-%m-%d}",
            f"Answers this week: {row['annotation_id_count_distinct']}.",
        ]
        for row in counts
        if row["annotator"] not in experts
    }
    for control in controls(active):
        for who, lines in _told(active, control, labels, units, experts).items():
            if who in pages:
                pages[who] += [f"## {_plain(control)}", *lines]
    others = sorted({control for control, _ in answered(lately)} - set(controls(active)))
    if others:
        told = f"Counted, but not compared: {', '.join(map(_plain, others))}."
        pages = {who: [*lines, told] for who, lines in pages.items()}
    return {who: "\n\n".join(lines) + "\n" for who, lines in pages.items()}


def _told(
    annotations: pa.Table, control: str, labels: pa.Table, units: pa.Table, experts: Collection[str]
) -> dict[str, list[str]]:
    said, _ = split_rulings(opinions(annotations, control, reasons=("planned", "review")), experts)
    rulings = _rulings(labels, control)
    told = {figure.annotator: [_accuracy(figure)] for figure in assess(said, rulings=rulings)}
    for who, line in _on_gold(annotations, control, labels, units).items():
        told.setdefault(who, []).append(line)
    untold = pc.is_in(said["unit"], value_set=units_shown_twice(units))
    wrong = confusions(said.filter(pc.invert(untold)), rulings=rulings)
    often = pc.greater_equal(wrong["n"], _OFTEN)
    wrong = wrong.filter(pc.and_(often, pc.not_equal(wrong["truth"], wrong["answer"])))
    order = [("n", "descending"), ("truth", "ascending"), ("answer", "ascending")]
    for who in pc.unique(wrong["annotator"]).to_pylist():
        cells = wrong.filter(pc.equal(wrong["annotator"], who)).sort_by(order).slice(0, _CONFUSIONS).to_pylist()
        lines = [
            f"- you said *{_plain(c['answer'])}*, the others or an expert *{_plain(c['truth'])}*: {c['n']} times"
            for c in cells
        ]
        told.setdefault(who, []).append("Most frequent differences:\n\n" + "\n".join(lines))
    return told


def _accuracy(figure: AnnotatorFigure) -> str:
    if figure.accuracy is None:
        return f"As the others or an expert answered: too few answers to compare yet ({figure.n})."
    share = _share(figure.accuracy, figure.low, figure.high)
    return f"As the others or an expert answered: {share} of all {figure.n} answers so far that can be compared."


def _on_gold(annotations: pa.Table, control: str, labels: pa.Table, units: pa.Table) -> dict[str, str]:
    tables = {"opinions": opinions(annotations, control, reasons=("gold",)), "labels": labels, "units": units}
    with session() as db:
        for name, table in tables.items():
            db.register(name, table)
        rows = db.sql(_ON_GOLD, params={"control": control}).to_arrow_table().to_pylist()
    return {row["annotator"]: _right(row["correct"], row["n"]) for row in rows if row["n"] >= FEWEST}


def _right(correct: int, n: int) -> str:
    return (
        f"Where an expert had answered: {_share(correct / n, *wilson(correct, n))} of all {n} answers so far agree."
    )


def _rulings(labels: pa.Table, control: str) -> pa.Table:
    ruled = pc.and_(pc.equal(labels["control"], control), pc.equal(labels["decided_by"], "expert"))
    found = labels.filter(pc.and_(ruled, pc.is_valid(labels["label"]))).select(["unit_id", "label"])
    return found.rename_columns(["unit", "value"])


def _share(value: float, low: float | None, high: float | None) -> str:
    ends = "" if low is None or high is None else f" (95 % interval {low:.0%} to {high:.0%})"
    return f"{value:.0%}{ends}"


def _plain(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    marks: dict[str, str | int | None] = {
        "*": "\\*",
        "_": "\\_",
        "`": "\\`",
        "[": "\\[",
        "#": "\\#",
        "&": "&amp;",
        "<": "&lt;",
    }
    return " ".join(text.split()).translate(str.maketrans(marks))
