"""Annotators: how far each agrees with the others, and whom the evidence flags. Pseudonyms only, never a rank."""

from __future__ import annotations

from labelloop.report.charts import intervals
from labelloop.report.section import Chart, Grid, Section, Source, interval, number
from labelloop.turns import Figures


def annotators_section(source: Source) -> Section:
    """Return each annotator's accuracy and difference to the others, with the flagged ones named in the lead."""
    found = source.figures["annotators"]
    measured = [row for row in found if row["difference"] is not None]
    if not measured:
        return Section("annotators", "Annotators", "No annotator has answers that could be compared yet.")
    flagged = [row["annotator"] for row in measured if row["flagged"]]
    lead = (
        f"Of {len(found)} annotator(s), {len(flagged)} flagged"
        + (f": {', '.join(flagged)}. " if flagged else ". ")
        + "Flagged means: the whole interval of the difference to the others lies below zero."
    )
    drawn = [
        {
            "name": row["annotator"],
            "value": row["difference"],
            "low": row["difference_low"],
            "high": row["difference_high"],
            "flagged": row["flagged"],
        }
        for row in measured
    ]
    chart = Chart(
        intervals(drawn, title="accuracy minus that of the others", marks={"none": 0.0}),
        "Difference in accuracy to the other annotators; dashed: none. A diamond is flagged.",
    )
    return Section("annotators", "Annotators", lead, (chart,), (_grid(source, found),))


def _grid(source: Source, found: list[Figures]) -> Grid:
    seconds = dict(
        zip(*(source.tables["annotators"][c].to_pylist() for c in ("annotator", "median_seconds")), strict=True)
    )
    cells = [
        (
            row["annotator"],
            row["n"],
            row["accuracy"],
            interval(row["accuracy_low"], row["accuracy_high"]),
            interval(row["difference_low"], row["difference_high"]),
            number(seconds[row["annotator"]]),
            "yes" if row["flagged"] else "",
        )
        for row in found
    ]
    heads = (
        "annotator",
        "compared answers",
        "accuracy",
        "interval",
        "difference to the others",
        "seconds",
        "flagged",
    )
    return Grid("Annotators against the consensus of the others", heads, cells)
