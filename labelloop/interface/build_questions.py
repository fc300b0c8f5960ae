"""The controls of a labelling configuration: one for each question, under its prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from labelloop.errors import SpecError
from labelloop.interface.elements import Element, add
from labelloop.spec.interface import Interface
from labelloop.spec.question import MARKS, Label, Question

# Okabe and Ito's colours, told apart by colour-blind people too; for marks whose label has none of its own.
_COLOURS: Final = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#999999")
_MARKERS: Final = MappingProxyType(
    {
        "rectangle": "RectangleLabels",
        "ellipse": "EllipseLabels",
        "polygon": "PolygonLabels",
        "keypoint": "KeyPointLabels",
        "mask": "BrushLabels",
        "timeline": "TimelineLabels",
    }
)
# Spans and segments have their own tag on these kinds of field.
_MARKERS_ON: Final = MappingProxyType({"dialogue": "ParagraphLabels", "time_series": "TimeSeriesLabels"})
# For paths of several names; Label Studio would give them half of it.
_WIDE_ENOUGH: Final = "400px"
_KEEPS_LINES: Final = "white-space: pre-wrap"

_Shared = Mapping[str, str]


def add_question(view: Element, interface: Interface, question: Question) -> None:
    """Add a question: its prompt and its control, shown under its condition alone.

    Raises:
        SpecError: Label Studio would not show a text of it as it is written; the message names the question.
    """
    condition = _condition(interface, question)
    shared = {"name": question.name, "toName": ",".join(interface.aims(question))}
    if question.per_mark:
        # On the control too, by which Label Studio decides whether an answer is demanded.
        shared |= {"perRegion": "true", **condition}
    try:
        part = add(view, "View", **condition) if condition else view
        add(part, "Header", value=question.prompt, style=_KEEPS_LINES if "\n" in question.prompt.strip() else None)
        if question.type in MARKS:
            _marks(part, interface, question, shared)
        else:
            _CONTROLS[question.type](part, question, shared)
    except SpecError as error:
        raise SpecError(f"question {question.name!r}: {error.what}", remedy=error.remedy) from None


def _condition(interface: Interface, question: Question) -> dict[str, str]:
    when = question.when
    labels = ",".join(when.labels) if when else ""
    if question.per_mark:
        marked = interface.marked_for(question)
        name = _namer(marked) if marked.type == "track" else marked.name
        given = {"whenTagName": name if when else "", "whenLabelValue": labels}
        return {"visibleWhen": "region-selected"} | {key: text for key, text in given.items() if text}
    if when:
        chosen = {"whenChoiceValue": labels} if labels else {}
        return {"visibleWhen": "choice-selected", "whenTagName": when.question, **chosen}
    return {}


def _marks(part: Element, interface: Interface, question: Question, shared: _Shared) -> None:
    kinds = {field.name: field.kind for field in interface.shown}
    tag = _MARKERS.get(question.type) or _MARKERS_ON.get(kinds[interface.aims(question)[0]], "Labels")
    if question.type == "track":
        add(part, "VideoRectangle", **shared)
        shared = {**shared, "name": _namer(question)}
    marker = add(part, tag, **shared)
    for place, label in enumerate(question.labels):
        colour = label.color or _COLOURS[place % len(_COLOURS)]
        add(marker, "Label", value=label.value, background=colour, hotkey=label.hotkey, hint=label.hint)


def _namer(question: Question) -> str:
    """Return the name of the control that gives tracks their labels."""
    return f"{question.name}_labels"


def _demanded(question: Question) -> dict[str, str]:
    return {"required": "true"} if question.required else {}


def _choices(part: Element, question: Question, shared: _Shared) -> None:
    choice = "multiple" if question.multiple else "single"
    control = add(part, "Choices", **shared, choice=choice, showInline="true", **_demanded(question))
    for label in question.labels:
        # Beside the text, whose own colour Label Studio decides; so a light one does not make it illegible.
        style = f"border-left: 4px solid {label.color}; padding-left: 4px" if label.color else None
        add(control, "Choice", value=label.value, hotkey=label.hotkey, style=style, hint=label.hint)


def _taxonomy(part: Element, question: Question, shared: _Shared) -> None:
    limits = {} if question.multiple else {"maxUsages": "1"}
    leaves = {"leafsOnly": "true"} if question.leaves_only else {}
    shown = {"showFullPath": "true", "minWidth": _WIDE_ENOUGH}
    control = add(part, "Taxonomy", **shared, **shown, **limits, **leaves, **_demanded(question))
    _add_branches(control, question.labels)


def _add_branches(above: Element, labels: Iterable[Label]) -> None:
    for label in labels:
        branch = add(above, "Choice", value=label.value, hint=label.hint, color=label.color)
        _add_branches(branch, label.children)


def _rating(part: Element, question: Question, shared: _Shared) -> None:
    add(part, "Rating", **shared, maxRating=f"{question.maximum or 5:.0f}", **_demanded(question))


def _number(part: Element, question: Question, shared: _Shared) -> None:
    limits = {"min": question.minimum, "max": question.maximum, "step": question.step}
    given = {name: f"{value:g}" for name, value in limits.items() if value is not None}
    add(part, "Number", **shared, **given, **_demanded(question))


def _datetime(part: Element, question: Question, shared: _Shared) -> None:
    add(part, "DateTime", **shared, only=question.only, **_demanded(question))


def _text(part: Element, question: Question, shared: _Shared) -> None:
    rows = str(question.lines or 3)
    add(part, "TextArea", **shared, rows=rows, editable="true", maxSubmissions="1", **_demanded(question))


def _pairwise(part: Element, _question: Question, shared: _Shared) -> None:
    add(part, "Pairwise", **shared)


def _ranking(part: Element, question: Question, shared: _Shared) -> None:
    control = add(part, "Ranker", **shared)
    for label in question.labels:
        add(control, "Bucket", name=label.value, title=label.value)


def _relation(part: Element, question: Question, _shared: _Shared) -> None:
    control = add(part, "Relations")
    for label in question.labels:
        add(control, "Relation", value=label.value, background=label.color)


_CONTROLS: Final[Mapping[str, Callable[[Element, Question, _Shared], None]]] = MappingProxyType(
    {
        "choices": _choices,
        "taxonomy": _taxonomy,
        "rating": _rating,
        "number": _number,
        "datetime": _datetime,
        "text": _text,
        "pairwise": _pairwise,
        "ranking": _ranking,
        "relation": _relation,
    }
)
