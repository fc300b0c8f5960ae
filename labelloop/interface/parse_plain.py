"""Results that hold nothing but values of the whole object and labelled boxes, read straight through.

Most hold nothing else, and this takes two thirds of the time. Whatever is not plain or not sound is left to
`parse.py`, which agrees with this on all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import partial
from operator import itemgetter
from typing import Any, Final

import orjson

from labelloop.errors import InputError
from labelloop.interface.answer import Answer, Item
from labelloop.interface.parse_values import VALUES, number, numbers, texts
from labelloop.interface.region import Region

_BOX: Final = "rectanglelabels"
_NAMED: Final = itemgetter("from_name", "type", "value")
_SIDES: Final = itemgetter("x", "y", "width", "height")
_TEXT: Final = frozenset([str])
# A third of the time that calling the classes takes.
_answer: Final = partial(tuple.__new__, Answer)
_region: Final = partial(tuple.__new__, Region)
_dump: Final = orjson.dumps
# How it fails what is not plain: without a key, of another type or kind, unsound, or holding what JSON cannot.
_ODD: Final = (AttributeError, KeyError, TypeError, InputError)


def plain_answers(result: Iterable[Any]) -> list[Answer] | None:
    """Return the answers of one annotation as `parse` does when nothing certain is asked, None if one is not plain.

    >>> item = {"from_name": "q", "to_name": "image", "type": "choices", "value": {"choices": ["b"]}}
    >>> plain_answers([item])[0].value
    ['b']
    >>> plain_answers([item, {"foo": 1}])
    """
    try:
        return _answers(result)
    except _ODD:
        return None


def _answers(result: Iterable[Any]) -> list[Answer] | None:
    said: dict[str, tuple[str, str, Any, list[Item]]] = {}
    ids, marks = [], []
    for item in result:
        control, kind, value = _NAMED(item)
        if kind == _BOX:
            mark = item["id"]
            marks.append(mark)
            box = _box(mark, value)
            if control not in said:
                said[control] = ("rectangle", "regions", [box], [item])
            elif said[control][1] == "regions":
                said[control][2].append(box)
                said[control][3].append(item)
            else:
                return None
        elif control in said:
            return None
        else:
            control_type, column, read = VALUES[kind]
            said[control] = (control_type, column, read(value), [item])
            ids.append(item.get("id"))
    known = {*marks}
    if len(known) < len(marks) or not known.isdisjoint(ids) or not _are_names(said) or not _are_names(known):
        return None
    return [
        _answer((control, control_type, column, value, _dump(items).decode()))
        for control, (control_type, column, value, items) in said.items()
    ]


def _box(mark: str, value: Item) -> Region:
    sides, rotation, labels, text = _SIDES(value), value.get("rotation"), value.get(_BOX), value.get("ocrtext")
    if "sequence" in value or "ranges" in value:
        raise InputError("it is a track or a timeline")
    turn = None if rotation is None else number(rotation)
    named = texts(labels, "labels") if labels else []
    read = text if isinstance(text, str) else None
    return _region((mark, named, numbers(sides, "sides"), turn, None, None, read, None))


def _are_names(given: Collection[Any]) -> bool:
    return _TEXT.issuperset(map(type, given)) and "" not in given
