"""Agreement: how far annotators agree, for the project, each pair and each annotator."""

from __future__ import annotations

from labelloop.agreement.table import DECISIVE
from labelloop.report.charts import curves, intervals, matrix
from labelloop.report.section import Chart, Grid, Section, Source, interval
from labelloop.turns import Figures

_DRAWN = {"project": "the project", "annotator": "each annotator"}
_SIGNS = ("constancy", "position_bias", "shared_errors")  # of how somebody answers: no agreement, so not drawn as one
_SCOPES = {
    **_DRAWN,
    "pair": "each pair",
    "label": "each label",
    "window": "each week",
    "stratum": "each stratum",
    "guidelines": "each version of the guidelines",
    "predictions": "predictions shown and hidden",
    "population": "all that could be asked about",
    "change": "one round after the other",
    "model": "a model with annotators",
}


def agreement_section(source: Source) -> Section:
    """Return the newest figures with intervals, the gate they are held against, and the reasons for those missing."""
    quality, found = source.spec.quality, source.figures["agreement"]
    if not found:
        return Section("agreement", "Agreement", "Not measured yet: no unit has two planned opinions.")
    lead = (
        "Measured on planned opinions only; extra opinions asked because annotators disagreed would bias it. "
        f"Below {quality.gate:.2f} nothing is published, below {quality.alarm:.2f} people are called. "
        "Every interval holds 95 %."
    )
    marks = {"gate": quality.gate, "alarm": quality.alarm}
    charts, grids = [*_over_time(source), *_of_pairs(found)], []
    for scope, whom in _SCOPES.items():
        rows = [row for row in found if row["scope"] == scope]
        drawn = _with_agreement(rows)
        if drawn and scope in _DRAWN:
            charts.append(_chart(drawn, whom, marks if scope == "project" else {}))
        if rows:
            grids.append(_grid(rows, whom))
    return Section("agreement", "Agreement", lead, tuple(charts), tuple(grids))


def _over_time(source: Source) -> list[Chart]:
    """The decisive figure of each question after each round, and of each week that was measured last."""
    measured = {"round": source.tables["agreement"].to_pylist(), "week": source.figures["agreement"]}
    charts = []
    for over, scope, place in (("round", "project", "round"), ("week", "window", "who")):
        drawn = [
            {over: row[place], "series": row["control"], **{name: row[name] for name in ("value", "low", "high")}}
            for row in measured[over]
            if row["scope"] == scope and row["metric"] in DECISIVE and row["value"] is not None
        ]
        if len({row[over] for row in drawn}) > 1:
            said = f"Agreement of the project over each {over}, with intervals."
            charts.append(Chart(curves(drawn, title="agreement", over=over), said))
    return charts


def _of_pairs(found: list[Figures]) -> list[Chart]:
    """A map of each question: who agrees with whom, how far beyond chance."""
    charts = []
    pairs = _with_agreement([row for row in found if row["scope"] == "pair"])
    for control in sorted({row["control"] for row in pairs}):
        drawn = [
            {"annotator": one[:8], "with": other[:8], "agreement": row["value"]}
            for row in pairs
            if row["control"] == control
            for one, other in (row["who"].split(), row["who"].split()[::-1])
        ]
        said = f"{control}: agreement of each two annotators; the fuller the colour, the further."
        charts.append(Chart(matrix(drawn, across="with", down="annotator", value="agreement", form=".2f"), said))
    return charts


def _with_agreement(rows: list[Figures]) -> list[Figures]:
    return [row for row in rows if row["value"] is not None and row["metric"] not in _SIGNS]


def _chart(rows: list[Figures], whom: str, marks: dict[str, float]) -> Chart:
    several = len({row["control"] for row in rows}) > 1
    named = [row | {"name": _name(row, several), "flagged": False} for row in rows]
    drawn = [{k: row[k] for k in ("name", "value", "low", "high", "flagged")} for row in named]
    lines = f" Dashed lines: {', '.join(f'{name} {at:.2f}' for name, at in marks.items())}." if marks else ""
    return Chart(intervals(drawn, title="agreement", marks=marks), f"Agreement of {whom}, with intervals.{lines}")


def _name(row: Figures, several: bool) -> str:
    whom = " / ".join(who[:8] for who in row["who"].split()) or row["metric"].replace("_", " ")
    return f"{row['control']}: {whom}" if several else whom


def _grid(rows: list[Figures], whom: str) -> Grid:
    cells = [
        (
            row["control"],
            row["metric"].replace("_", " "),
            " and ".join(row["who"].split()) or "all",
            row["value"],
            interval(row["low"], row["high"]),
            row["n_units"],
            row["reason"] or "",
        )
        for row in rows
    ]
    heads = ("question", "statistic", "who", "value", "95 % interval", "units", "why there is none")
    return Grid(f"Agreement of {whom}", heads, cells)
