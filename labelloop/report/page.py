"""The page: sections in their order, put together by an HTML builder that escapes every text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from lxml import etree
from lxml.html import builder as E
from lxml.html import tostring

from labelloop.report.accuracy import accuracy_section
from labelloop.report.agreement import agreement_section
from labelloop.report.annotators import annotators_section
from labelloop.report.confusion import confusion_section
from labelloop.report.difficult import difficult_section
from labelloop.report.pace import pace_section
from labelloop.report.rounds import rounds_section
from labelloop.report.section import Chart, Grid, Link, Section, Source, Tile, clean, number
from labelloop.report.style import STYLE
from labelloop.report.tiles import tiles
from labelloop.report.training import datasets_section, labels_section
from labelloop.report.trust import erasure_section, quarantine_section

SECTIONS: Final[tuple[Callable[[Source], Section], ...]] = (
    rounds_section,
    pace_section,
    agreement_section,
    confusion_section,
    annotators_section,
    accuracy_section,
    labels_section,
    difficult_section,
    datasets_section,
    quarantine_section,
    erasure_section,
)
# Longer cells may break their lines.
_LONG = 36
# A browser that reads this page loads and runs nothing, whatever a label says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def report_page(source: Source) -> bytes:
    """Return the report as one HTML page in UTF-8 that loads nothing and runs nothing.

    Args:
        source: the spec, and rows of the contracts `batches, tasks, units, predictions, annotations, labels,
            agreement, annotators, evaluations, datasets, models, receipts, quarantine`.
    """
    sections = [section(source) for section in SECTIONS]
    title = clean(source.spec.title)
    head = E.HEAD(
        E.META(charset="utf-8"),
        E.META(name="viewport", content="width=device-width, initial-scale=1"),
        E.META({"http-equiv": "Content-Security-Policy"}, content=_POLICY),
        E.TITLE(f"{title}: labelling report"),
        E.STYLE(STYLE),
    )
    links = [E.LI(E.A(s.title, href=f"#{s.anchor}")) for s in sections]
    header = E.HEADER(
        E.P(f"Project {source.spec.name}", E.CLASS("project")),
        E.H1(title),
        E.P(f"As of {source.at:%Y-%m-%d %H:%M} UTC. Every interval holds 95 %.", E.CLASS("lead")),
    )
    tiled = E.UL(*map(_tile, tiles(source)), E.CLASS("tiles"))
    menu = E.NAV(E.UL(*links), {"aria-label": "Sections"})
    skip = E.A("Skip to the figures", E.CLASS("skip"), href="#figures")
    body = E.BODY(skip, header, menu, E.MAIN(tiled, *map(_section, sections), id="figures", tabindex="-1"))
    return bytes(tostring(E.HTML(head, body, lang="en"), encoding="utf-8", doctype="<!DOCTYPE html>"))


def _tile(tile: Tile) -> Any:
    kind = E.CLASS("tile alarm" if tile.is_alarm else "tile")
    return E.LI(E.SPAN(tile.name, E.CLASS("name")), E.STRONG(tile.value), E.SPAN(tile.note, E.CLASS("note")), kind)


def _section(section: Section) -> Any:
    parts = [E.H2(section.title), E.P(section.lead, E.CLASS("lead"))]
    if section.charts:
        parts.append(E.DIV(*map(_figure, section.charts), E.CLASS("charts")))
    parts += [_grid(grid) for grid in section.grids]
    if section.link:
        href, text = section.link
        parts.append(E.P(E.A(text, href=href)))
    return E.SECTION(*parts, id=section.anchor)


def _figure(chart: Chart) -> Any:
    # The drawing is parsed, not pasted: what is no well-formed SVG never reaches the page.
    drawing = etree.fromstring(chart.svg.encode(), etree.XMLParser(resolve_entities=False, no_network=True))
    drawing.set("role", "img")
    drawing.set("aria-label", clean(chart.description))
    return E.FIGURE(drawing, E.FIGCAPTION(clean(chart.description)))


def _grid(grid: Grid) -> Any:
    heads = E.THEAD(E.TR(*(E.TH(head, scope="col") for head in grid.heads)))
    rows = [E.TR(*map(_cell, row)) for row in grid.rows]
    table = E.TABLE(E.CAPTION(clean(grid.caption)), heads, E.TBODY(*rows))
    # Wide tables scroll within their frame; focus lets the keyboard scroll them.
    return E.DIV(table, E.CLASS("wide"), {"tabindex": "0", "role": "region", "aria-label": clean(grid.caption)})


def _cell(value: Any) -> Any:
    if isinstance(value, Link):
        return E.TD(E.A(value.text, href=value.href))
    if not isinstance(value, str):
        return E.TD(number(value), E.CLASS("number"))
    text = clean(value)
    return E.TD(text, E.CLASS("long")) if len(text) > _LONG else E.TD(text)
