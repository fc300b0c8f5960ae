"""Throughput: what is answered each day, when the open work is done, and what it costs."""

from __future__ import annotations

from datetime import timedelta

from labelloop.forecast import Forecast, forecasts
from labelloop.pace import pace_of
from labelloop.report.charts import curves
from labelloop.report.distribution import distribution
from labelloop.report.section import Chart, Grid, Section, Source, number


def pace_section(source: Source) -> Section:
    """Return answers per day, the forecast with intervals, and hours and pay of each annotator's accepted answers."""
    if not source.tables["tasks"].num_rows:
        return Section("pace", "Throughput and cost", "No task was put before annotators yet.")
    past = pace_of(source.tables, source.at, expected=source.spec.sampling.budget.seconds_per_answer)
    days = [f"{source.at - timedelta(days=ago):%m-%d}" for ago in range(len(past.answers))]
    drawn = [{"day": day, "value": int(n), "series": "answers"} for day, n in zip(days, past.answers, strict=True)]
    came = f"{int(past.answers.sum()):,} came in {len(days)} days"
    lead = f"{past.missing:,} opinions are still wanted of open tasks; {came}."
    charts = [Chart(curves(drawn[::-1], title="answers", over="day"), "Answers on each day.")] if drawn else []
    grids = [_forecast(source), *_cost(source)]
    if len(past.seconds):
        said = "How long answers took; beyond the last bin nobody was at work, so longer ones count in it."
        chart, grid = distribution(past.seconds, of="seconds", counted="answers", said=said)
        charts.append(chart)
        grids.append(grid)
    return Section("pace", "Throughput and cost", lead, tuple(charts), tuple(grids))


def _forecast(source: Source) -> Grid:
    currency = source.spec.sampling.budget.currency
    heads = ("until", "answers", "hours", currency, "days", "95 % interval", "remark")
    rows = [
        (row.what, row.answers, row.hours, row.cost, row.days, _days(row), row.reason or "")
        for row in forecasts(source.spec, source.tables, source.at)
    ]
    return Grid("When the open work is done", heads, rows)


def _days(row: Forecast) -> str:
    if row.low is None:
        return number(None)
    return f"{row.low} to {'over 730' if row.high is None else row.high}"


def _cost(source: Source) -> list[Grid]:
    columns = ("annotator", "hours", "idle", "accepted", "cost_per_accepted")
    people = source.tables["annotators"].select(columns).sort_by("annotator").to_pylist()
    rows = [tuple(row[name] for name in columns) for row in people if row["hours"] is not None]
    heads = ("annotator", "hours", "answers whose time was cut", "accepted answers", "pay for an accepted answer")
    return [Grid("Time and cost", heads, rows)] if rows else []
