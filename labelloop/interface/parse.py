"""From the result of an annotation, as Label Studio stores it, to one typed answer per control.

The server checks no result against its configuration, so every shape that is not understood is refused with the
reason, never guessed at. An answer is taken whole or not at all: half of somebody's boxes would be another answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from labelloop.errors import InputError
from labelloop.interface.answer import Answer, Asked, Item, Marks, Reading
from labelloop.interface.parse_rankings import read_ranking
from labelloop.interface.parse_regions import REGIONS, note_mark, read_regions
from labelloop.interface.parse_relations import RELATION, read_relations
from labelloop.interface.parse_values import VALUES, read_values
from labelloop.spec.interface import Interface
from labelloop.spec.question import UNSORTED, Label, Question

_READERS: Final[Mapping[str, Callable[[list[Item], Marks], Reading]]] = {
    **dict.fromkeys(VALUES, read_values),
    **dict.fromkeys(REGIONS, read_regions),
    "ranker": read_ranking,
    RELATION: read_relations,
}


def asked_by(interface: Interface) -> dict[str, Asked]:
    """Return what each control of an interface lets its answer be, by its name; of a taxonomy, the known paths."""
    return {
        question.name: Asked(question.type, frozenset(_known(question)), question.multiple)
        for question in interface.asked
    }


def _known(question: Question) -> Iterator[Any]:
    return _paths(question.labels) if question.type == "taxonomy" else iter(question.values)


def _paths(labels: Iterable[Label], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for label in labels:
        path = (*above, label.value)
        yield path
        yield from _paths(label.children, path)


def parse(result: Sequence[Any], asked: Mapping[str, Asked]) -> tuple[list[Answer], list[tuple[str, str]]]:
    """Return the answers of one annotation, and what was refused as (control, reason).

    Args:
        result: the items of the annotation's `result`.
        asked: see `asked_by`; a known control takes only its kind of answer and its own labels, others are read by
            what they say themselves. Relations name no control; theirs is the question of that type, or `relations`.

    >>> item = {"from_name": "q", "to_name": "image", "type": "choices", "value": {"choices": ["b"]}}
    >>> parse([item], {"q": Asked("choices", frozenset("ab"))})[0][0].value
    ['b']
    >>> parse([{"foo": 1}], {})
    ([], [('', 'it names no control')])
    """
    controls, marks = _sorted(result, asked)
    answers: list[Answer] = []
    refused: list[tuple[str, str]] = []
    for control, items in controls.items():
        try:
            reading = _reading(control, items, marks)
            if control in asked:
                _refuse_unasked(reading, asked[control])
            answers.append(Answer(control, *reading, _json(items)))
        except InputError as error:
            refused.append((control, error.what))
    return answers, refused


def _sorted(result: Iterable[Any], asked: Mapping[str, Asked]) -> tuple[dict[str, list[Any]], Marks]:
    """Return the items by control, those that name none under the empty name, and the marks among them."""
    controls: dict[str, list[Any]] = {}
    marks = Marks(set(), set(), {})
    for item in result:
        known = item if isinstance(item, dict) else {}
        control, kind = known.get("from_name"), known.get("type")
        if kind == RELATION:
            control = _relations(asked)
        elif isinstance(kind, str) and kind in REGIONS:
            note_mark(known, marks)
        controls.setdefault(control if isinstance(control, str) else "", []).append(item)
    return controls, marks


def _relations(asked: Mapping[str, Asked]) -> str:
    return next((name for name, question in asked.items() if question.control_type == RELATION), "relations")


def _reading(control: str, items: list[Any], marks: Marks) -> Reading:
    if not control:
        raise InputError("it names no control")
    kind = items[0].get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        raise InputError("its kind of answer is not known")
    for item in items:
        if item.get("type") != kind:
            raise InputError("its answers are of several kinds")
        if not isinstance(item.get("value"), dict) and kind != RELATION:
            raise InputError("its kind of answer is not known")
    return read(items, marks)


def _json(items: list[Any]) -> str:
    try:
        return orjson.dumps(items).decode()
    except TypeError:  # half a character, or a whole number beyond 64 bits
        raise InputError("it holds what JSON cannot") from None


def _refuse_unasked(reading: Reading, question: Asked) -> None:
    control_type, column, value = reading
    if question.control_type != control_type:
        raise InputError(f"the spec asks for {question.control_type} here")
    if question.labels and not question.labels.issuperset(_LABELS[column](value)):
        raise InputError("a label is none of the question's labels")
    if column == "choices" and not question.multiple and len(value) > 1:
        raise InputError("there are several choices where one is asked for")


def _each(values: list[Any]) -> Iterator[str]:
    return (label for value in values for label in value or ())


# The labels in the value of each column.
_LABELS: Final[Mapping[str, Callable[[Any], Iterable[Any]]]] = {
    "choices": iter,
    "paths": lambda paths: map(tuple, paths),
    "number": lambda _: (),
    "text": lambda _: (),
    "ranked": lambda ranked: {one.bucket for one in ranked} - {None, UNSORTED},
    "regions": lambda regions: _each([region.labels for region in regions]),
    "per_region": lambda values: _each([value.choices for value in values]),
    "relations": lambda relations: _each([relation.labels for relation in relations]),
}
