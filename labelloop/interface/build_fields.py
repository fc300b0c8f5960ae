"""The objects of a labelling configuration: what an annotator sees of a task."""

from __future__ import annotations

from typing import Final

from labelloop.interface.elements import Element, add
from labelloop.spec.interface import Interface
from labelloop.spec.shown import Shown

_SIDE_BY_SIDE: Final = "display: grid; grid-template-columns: 1fr 1fr; gap: 1em"
_AS_WRITTEN: Final = "{ white-space: pre-wrap; overflow-wrap: anywhere }"
# Label Studio would run lines of a text together and lose what indents them, as in code. Of an item it shows the id,
# of a turn in a dialogue times that nobody gave: neither is of use. In the dark items would be light on light.
_STYLES: Final = {
    "text": f".lsf-richtext__line {_AS_WRITTEN}",
    "dialogue": f"[class^=dialoguetext] {_AS_WRITTEN} [class^=titleWrapper] [class^=time] {{ display: none }}",
    "items": f".htx-ranker-item p {_AS_WRITTEN} .htx-ranker-item p:last-child {{ display: none }} "
    ".htx-ranker-item img { max-width: 100% } .htx-ranker-item { background-color: var(--color-neutral-surface) } "
    ".htx-ranker-item, .htx-ranker-column { border-color: var(--color-neutral-border) }",
}
# Pictures and films leave room for what is asked about them, and films for the keys that play them.
_TAGS: Final = {
    "image": ("Image", {"zoomControl": "true", "rotateControl": "false", "maxHeight": "60vh"}),
    "text": ("Text", {}),
    "audio": ("Audio", {}),
    "video": ("Video", {"height": "400"}),
    "pdf": ("Pdf", {}),
    "time_series": ("TimeSeries", {}),
    "dialogue": ("Paragraphs", {"layout": "dialogue"}),
    "items": ("List", {"title": "Items"}),
}
# A link, not the content itself: it stays in the bucket, and Label Studio shows it escaped.
_LINKED: Final = {"text": "url", "dialogue": "url", "time_series": "url"}
# Fields of a record are in the task already.
_HELD: Final = {"text": "text", "dialogue": "json", "time_series": "url"}


def add_fields(view: Element, interface: Interface) -> None:
    """Add the objects of an interface in their order; two that are compared stand side by side."""
    pair = next((interface.aims(question) for question in interface.questions if question.type == "pairwise"), ())
    if interface.layout == "pair":
        pair = tuple(field.name for field in interface.shown)
    beside = None
    for field in interface.shown:
        if field.name not in pair:
            _add_field(view, field, interface)
            continue
        if beside is None:
            beside = add(view, "View", style=_SIDE_BY_SIDE)
        _add_field(add(beside, "View"), field, interface)
    for kind in dict.fromkeys(field.kind for field in interface.shown):
        if kind in _STYLES:
            add(view, "Style").text = _STYLES[kind]


def _add_field(view: Element, field: Shown, interface: Interface) -> None:
    if field.title:
        add(view, "Header", value=field.title, size="5")
    tag, options = _TAGS[field.kind]
    source = (_HELD if interface.media == "record" else _LINKED).get(field.kind)
    read = _reading(field, interface)
    shown = add(view, tag, field=field.name, name=field.name, valueType=source, **options, **read)
    if field.kind == "time_series" and interface.series:
        for line in interface.series.channels:
            add(shown, "Channel", column=line.column, legend=line.title or line.column, units=line.units)


def _reading(field: Shown, interface: Interface) -> dict[str, str | None]:
    """How a file is read, where it does not say so itself."""
    if field.kind == "video" and interface.frame_rate:
        return {"frameRate": f"{interface.frame_rate:g}"}
    if field.kind == "time_series" and interface.series:
        series = interface.series
        return {"sep": series.separator, "timeColumn": series.time, "timeFormat": series.time_format}
    return {}


def add_notes(view: Element, notes: str | None) -> None:
    """Add what annotators look up while at work, folded away; line breaks are kept and nothing is markup."""
    if notes:
        panel = add(add(view, "Collapse"), "Panel", value="Notes")
        add(add(panel, "View"), "Header", value=notes, size="5", style="white-space: pre-wrap; font-weight: normal")
