"""What a labelling configuration shows and asks, read off its XML, so that its answers can be collected.

Whether the configuration is sound is the business of the lint in `labelloop.interface`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lxml import etree

from labelloop.errors import SpecError
from labelloop.spec.attributes import attribute, names_in
from labelloop.spec.question import MARKS, ControlType, Label, Question
from labelloop.spec.shown import FieldKind, Shown

_FIELDS: Final[Mapping[str, FieldKind]] = {
    "Audio": "audio",
    "Image": "image",
    "List": "items",
    "Paragraphs": "dialogue",
    "Pdf": "pdf",
    "Text": "text",
    "TimeSeries": "time_series",
    "Video": "video",
}
_SHAPES: Final[Mapping[str, ControlType]] = {
    "Bitmask": "mask",
    "Brush": "mask",
    "Ellipse": "ellipse",
    "KeyPoint": "keypoint",
    "Polygon": "polygon",
    "Rectangle": "rectangle",
}
_QUESTIONS: Final[Mapping[str, ControlType]] = {
    "Choices": "choices",
    "DateTime": "datetime",
    "HyperTextLabels": "span",
    "Number": "number",
    "Pairwise": "pairwise",
    "ParagraphLabels": "span",
    "Ranker": "ranking",
    "Rating": "rating",
    "Relations": "relation",
    "Taxonomy": "taxonomy",
    "TextArea": "text",
    "TimeSeriesLabels": "segment",
    "TimelineLabels": "timeline",
    "VideoRectangle": "track",
    **_SHAPES,
    **{f"{shape}Labels": kind for shape, kind in _SHAPES.items()},
}
# What <Labels> by themselves mark on an object; on images and videos they name what another control draws.
_MARKED: Final[Mapping[str, ControlType]] = {
    "Audio": "segment",
    "HyperText": "span",
    "Paragraphs": "span",
    "Text": "span",
    "TimeSeries": "segment",
}
# They show what a task holds as HTML, which can load what it likes and lead the annotator's page elsewhere.
_MARKUP: Final = frozenset(["HyperText", "Markdown"])
# Controls whose answers collect has no column for.
UNREAD: Final = frozenset(["Chat", "OcrLabels", "ReactCode", "Vector", "VectorLabels"])
_ITEMS: Final = ("Bucket", "Choice", "Label", "Relation")
# Of the task, and not a part of what it holds.
_FIELD: Final = re.compile(r"\$[^.\[{]+")


def questions_of(xml: str) -> tuple[Question, ...]:
    """Return the questions of a labelling configuration, as collect needs them: name, type, labels, aims.

    Names and labels are taken as they are, also where a spec would refuse them; a question whose labels come from
    task data has none here. A shape without labels of its own has those of the `<Labels>` on the same object.

    Raises:
        SpecError: it is no XML, or holds a control whose answers could not be collected.

    >>> xml = '<View><Image name="i" value="$i"/><Rating name="stars" toName="i" required="true"/></View>'
    >>> [(question.name, question.type, question.about, question.required) for question in questions_of(xml)]
    [('stars', 'rating', ('i',), True)]
    """
    elements = _elements(xml)
    if unread := sorted({str(element.tag) for element in elements} & UNREAD):
        raise SpecError(
            f"interface.xml asks by <{'>, <'.join(unread)}>, whose answers cannot be collected",
            remedy="ask otherwise",
        )
    tags = {element.get("name"): str(element.tag) for element in elements}
    naming = {names_in(e, "toName"): _labels(e) for e in elements if e.tag == "Labels" and not _kind(e, tags)}
    return tuple(_question(e, kind, naming) for e in elements if (kind := _kind(e, tags)))


def fields_of(xml: str) -> tuple[Shown, ...]:
    """Return the fields of task data that a labelling configuration shows, each once, in their order.

    Raises:
        SpecError: it is no XML, or shows what our tasks do not hold, or shows a field as HTML.

    >>> [(field.name, field.kind) for field in fields_of('<View><Audio name="a" value="$call"/></View>')]
    [('call', 'audio')]
    """
    found: dict[str, Shown] = {}
    for element in _elements(xml):
        value = attribute(element, "value") or attribute(element, "valueList") or ""
        if value.startswith("$"):
            _refuse_what_no_task_holds(element, value)
            # What is no object takes text: the default of a text field, the words of a header.
            shown = Shown.model_construct(name=value[1:], kind=_FIELDS.get(element.tag, "text"))
            found.setdefault(shown.name, shown)
    return tuple(found.values())


def _refuse_what_no_task_holds(element: Any, value: str) -> None:
    told = f"interface.xml shows {value} by <{element.tag}>"
    if element.tag in _MARKUP:
        raise SpecError(f"{told}, as HTML", remedy="show it by <Text>, which runs nothing")
    if element.tag in ("Choices", "Taxonomy") or str(element.tag).endswith("Labels"):
        raise SpecError(f"{told}: its labels would come with each task", remedy="write them into it")
    if attribute(element, "valueList"):
        raise SpecError(
            f"{told}: several pictures in one field", remedy="show them by <List>, or by one <Image> each"
        )
    if not _FIELD.fullmatch(value):
        raise SpecError(f"{told}: a part of a field", remedy="show whole fields")


def items_of(element: Any) -> Iterator[Any]:
    """Yield the answers of a control, or those below an answer; also those that lie in a <View> of it."""
    for child in element.iterchildren(*_ITEMS, "View"):
        if child.tag == "View":
            yield from items_of(child)
        else:
            yield child


def stored_as(item: Any) -> str | None:
    """Return what Label Studio writes into an answer that is this one."""
    stored: str | None = item.get("name") if item.tag == "Bucket" else item.get("alias") or item.get("value")
    return stored


def _elements(xml: str) -> list[Any]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SpecError(
            f"interface.xml is no well-formed XML: {error}",
            remedy="mend it; `labelloop interface validate` tells where",
        ) from None
    return [element for element in root.iter() if isinstance(element.tag, str)]


def _kind(element: Any, tags: Mapping[str, str]) -> ControlType | None:
    if element.tag == "Labels":
        return next((_MARKED[tags[name]] for name in names_in(element, "toName") if tags.get(name) in _MARKED), None)
    return _QUESTIONS.get(element.tag)


def _question(element: Any, kind: ControlType, naming: Mapping[tuple[str, ...], tuple[Label, ...]]) -> Question:
    aims = names_in(element, "toName")
    return Question.model_construct(
        name=attribute(element, "name") or kind,
        type=kind,
        prompt="",
        labels=_labels(element) or (naming.get(aims, ()) if kind in MARKS else ()),
        multiple=kind == "taxonomy" or (kind == "choices" and attribute(element, "choice") == "multiple"),
        required=attribute(element, "required") == "true",
        about=aims,
        per_mark=attribute(element, "perRegion") == "true",
    )


def _labels(element: Any) -> tuple[Label, ...]:
    return tuple(_label(item) for item in items_of(element))


def _label(item: Any) -> Label:
    return Label.model_construct(value=stored_as(item) or "", children=_labels(item))
