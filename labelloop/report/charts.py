"""Charts as SVG: drawn by Altair and vl-convert, both offline, narrow enough for a phone.

Every category is a text that strangers may have typed; it is cleaned here and escaped by the renderer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import vl_convert

from labelloop.report.section import short

Rows = Sequence[Mapping[str, Any]]
# Told apart with any colour vision (Okabe and Ito, 2008).
_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"]
_INK, _GRID, _ALARM = "#22303c", "#e3e8ec", "#d55e00"
_WIDTH = 300
# A browser may set the labels in a wider font than the one they were measured in.
_PADDING = {"left": 24, "right": 8, "top": 5, "bottom": 5}


def bars(rows: Rows, *, category: str, count: str, colour: str | None = None, beside: bool = False) -> str:
    """Return horizontal bars, one per category in the order given, by colour on top of each other or beside."""
    encoding: dict[str, Any] = {
        "x": alt.X(field=count, type="quantitative", title=count, axis=alt.Axis(tickMinStep=1)),
        "y": alt.Y(field=category, type="nominal", sort=None, title=None),
    }
    if colour:
        encoding["color"] = alt.Color(field=colour, type="nominal", title=None, sort=None)
    if beside:
        encoding["yOffset"] = alt.YOffset(field=colour, type="nominal", sort=None)
    steps = len(rows) if beside else _distinct(rows, category)
    return _svg(_chart(rows).mark_bar(color=_COLOURS[0]).encode(**encoding), steps=steps)


def intervals(rows: Rows, *, title: str, marks: Mapping[str, float]) -> str:
    """Return one point with its interval per row (`name, value, low, high, flagged`), and dashed lines at `marks`."""
    y = alt.Y("name:N", sort=None, title=None)
    colour = alt.condition("datum.flagged", alt.value(_ALARM), alt.value(_COLOURS[0]))
    base = _chart(rows).encode(y=y, color=colour)
    layers = [
        base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=alt.X("low:Q", title=title), x2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=alt.X("value:Q", title=title, scale=alt.Scale(zero=False)),
            shape=alt.condition("datum.flagged", alt.value("diamond"), alt.value("circle")),
        ),
    ]
    lines = [{"at": at, "name": name} for name, at in marks.items()]
    if lines:
        at = alt.Chart(alt.InlineData(values=lines)).encode(x="at:Q")
        layers.append(at.mark_rule(strokeDash=[4, 3], color=_INK))
    return _svg(alt.layer(*layers), steps=len(rows))


def curves(rows: Rows, *, title: str, over: str = "round") -> str:
    """Return one line per `series` over rounds or days, with the interval of each point where it has one."""
    x = alt.X(f"{over}:O", title=over, axis=alt.Axis(labelAngle=0 if over == "round" else -40, labelOverlap=True))
    colour = alt.Color("series:N", title=None, sort=None)
    base = _chart(rows).encode(x=x, color=colour)
    value = alt.Y("value:Q", title=title, scale=alt.Scale(zero=False))
    drawn = alt.layer(
        base.mark_line(strokeWidth=2).encode(y=value),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            y=value, shape=alt.Shape("series:N", legend=None, sort=None)
        ),
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(y="low:Q", y2="high:Q"),
    )
    return _svg(drawn, height=200, columns=1)


def matrix(rows: Rows, *, across: str, down: str, value: str, form: str) -> str:
    """Return one square per row, the fuller its colour the higher its value, from 0 to 1 or the highest above."""
    base = _chart(rows).encode(
        x=alt.X(field=across, type="nominal", title=across, axis=alt.Axis(labelAngle=-40, labelLimit=90)),
        y=alt.Y(field=down, type="nominal", title=down, axis=alt.Axis(titlePadding=16)),
    )
    highest = max(1.0, *(row[value] for row in rows))
    scale = alt.Scale(domain=[0, highest], range=["#eef4f8", _COLOURS[0]], clamp=True)
    shade = alt.Color(field=value, type="quantitative", legend=None, scale=scale)
    legible = alt.condition(alt.datum[value] > 0.6 * highest, alt.value("white"), alt.value(_INK))
    text = base.mark_text(fontSize=13).encode(
        text=alt.Text(field=value, type="quantitative", format=form), color=legible
    )
    return _svg(alt.layer(base.mark_rect().encode(color=shade), text), steps=_distinct(rows, down))


def histogram(bins: Rows, *, title: str, count: str) -> str:
    """Return one upright bar per row (`low, high, n`), as wide as its bin."""
    encoding = {
        "x": alt.X("low:Q", title=title, bin="binned", axis=alt.Axis(tickCount=5)),
        "x2": "high:Q",
        "y": alt.Y("n:Q", title=count, axis=alt.Axis(tickMinStep=1)),
    }
    return _svg(_chart(bins).mark_bar(color=_COLOURS[0]).encode(**encoding), height=160)


def _chart(rows: Rows) -> alt.Chart:
    cleaned = [{k: short(v) if isinstance(v, str) else v for k, v in row.items()} for row in rows]
    return alt.Chart(alt.InlineData(values=cleaned))


def _distinct(rows: Rows, name: str) -> int:
    return len({row[name] for row in rows})


def _svg(chart: Any, *, steps: int | None = None, height: int | None = None, columns: int = 3) -> str:
    drawn = chart.properties(width=_WIDTH, height=height or max(40, 26 * (steps or 1)))
    text = {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": 400}
    drawn = (
        drawn.configure(background="transparent", font="Arial, Helvetica, sans-serif", padding=_PADDING)
        .configure_axis(**text, gridColor=_GRID, domainColor=_GRID, tickColor=_GRID, labelLimit=150)
        .configure_legend(labelColor=_INK, labelFontSize=13, orient="top", labelLimit=260, columns=columns)
        .configure_range(category=_COLOURS)
        .configure_view(stroke=None)
    )
    return str(vl_convert.vegalite_to_svg(drawn.to_dict()))
