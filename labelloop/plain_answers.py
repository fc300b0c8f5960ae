"""Answers of many annotations at once, column by column, where they hold nothing but plain items.

One by one, as `parse` and `AnswerColumns` take them, the same answers take twice the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from labelloop.annotation_rows import SAID
from labelloop.interface import Asked
from labelloop.interface.plain_items import KINDS, PlainItems
from labelloop.nested_columns import list_column

_Ints = NDArray[np.int64]
_Flags = NDArray[np.bool_]
_BOX: Final = KINDS["rectangle"]
_TYPES: Final = pa.array([*KINDS])
_REGION: Final = SAID.field("regions").type.value_type


class PlainAnswers(NamedTuple):
    """Answers in the columns of `SAID`, the place of each one's result, and which results are left to `parse`."""

    places: _Ints
    said: pa.Table
    left: _Flags


class _Items(NamedTuple):
    """Of each plain item the place of its result, its kind, control, id, and how many of the words it has."""

    places: _Ints
    kinds: _Ints
    controls: pa.DictionaryArray
    ids: pa.Array
    sizes: _Ints
    words: pa.DictionaryArray

    @property
    def owners(self) -> _Ints:
        """The item that each word is of."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)


class _Answers(NamedTuple):
    """Items in the order of their answers, how many each answer has, and the first of each."""

    items: _Ints
    sizes: _Ints
    first: _Ints


def plain_answers(results: Sequence[msgspec.Raw], asked: Mapping[str, Asked]) -> PlainAnswers:
    """Return the answers of all results that `parse` takes as they are, in their order.

    Args:
        results: the `result` of each annotation, as JSON.
        asked: see `parse`; where an answer is none that was asked for, its result is left.

    >>> one = b'[{"from_name": "q", "type": "choices", "value": {"choices": ["b"]}}]'
    >>> found = plain_answers([msgspec.Raw(b'[{"foo": 1}]'), msgspec.Raw(one)], {})
    >>> found.said["choices"].to_pylist(), found.places.tolist(), found.left.tolist()
    ([['b']], [1], [True, False])
    """
    columns = PlainItems(results)
    counts = np.array(columns.counts)
    items = _Items(
        np.repeat(np.arange(len(counts)), np.maximum(counts, 0)),
        np.array(columns.kinds, np.int64),
        columns.controls.array(),
        pa.array(columns.ids, pa.string()),
        np.array(columns.words.sizes, np.int64),
        columns.words.words.array(),
    )
    left = counts < 0
    left[items.places[_unsound(items) | _large(columns, items) | _unasked(items, asked)]] = True
    answers = _answers(items)
    places, said = items.places[answers.first], _said(columns, items, answers)
    sound = ~left[places]
    return PlainAnswers(places, said, left) if sound.all() else PlainAnswers(places[sound], said.filter(sound), left)


def _answers(items: _Items) -> _Answers:
    """Return what answers are made of: the items of one control in one result stand where the first of them does."""
    pairs = _pairs(items.places, items.controls)
    _, first, answer, sizes = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    return _Answers(np.argsort(first[answer], kind="stable"), sizes[order], first[order])


def _pairs(owners: _Ints, words: pa.DictionaryArray) -> _Ints:
    """Return a number for each pair of an owner and a word."""
    pairs: _Ints = owners * max(len(words.dictionary), 1) + words.indices.to_numpy()
    return pairs


def _repeated(owners: _Ints, words: pa.DictionaryArray) -> _Flags:
    """Return of each word whether its owner has it more than once."""
    if len(words.dictionary) == len(words):
        return np.zeros(len(words), bool)
    pairs = _pairs(owners, words)
    ordered = np.sort(pairs)
    twice: _Flags = np.isin(pairs, ordered[1:][ordered[1:] == ordered[:-1]])
    return twice


def _unsound(items: _Items) -> _Flags:
    """Return of each item whether it says something twice, or what it says may be of another item."""
    unsound: _Flags = _repeated(items.places, items.controls) & (items.kinds != _BOX)
    named = items.ids.is_valid().to_numpy(zero_copy_only=False)
    unsound[named] |= _repeated(items.places[named], items.ids.drop_null().dictionary_encode())
    unsound[items.owners[_repeated(items.owners, items.words)]] = True
    return unsound


def _large(columns: PlainItems, items: _Items) -> _Flags:
    """Return of each item whether it has a number that, if it is whole, `parse` refuses: it needs over 64 bits."""
    large: _Flags = np.abs(np.array(columns.numbers)) >= 2**63
    large[items.kinds == _BOX] |= (np.abs(np.array(columns.sides).reshape(-1, 4)) >= 2**63).any(axis=1)
    return large


def _unasked(items: _Items, asked: Mapping[str, Asked]) -> _Flags:
    """Return of each item whether it is none that its question asks for."""
    unasked = np.zeros(len(items.kinds), bool)
    controls, owners = items.controls.indices.to_numpy(), items.owners
    for code, name in enumerate(items.controls.dictionary.to_pylist()):
        if question := asked.get(name):
            here = controls == code
            too_many = (items.sizes > 1) & (items.kinds != _BOX) & (not question.multiple)
            unasked |= here & (too_many | (items.kinds != KINDS.get(question.control_type)))
            if question.labels:
                unknown = [word not in question.labels for word in items.words.dictionary.to_pylist()]
                unasked[owners[np.array(unknown, bool)[items.words.indices.to_numpy()] & here[owners]]] = True
    return unasked


def _said(columns: PlainItems, items: _Items, answers: _Answers) -> pa.Table:
    """Return the answers in the columns of `SAID`."""
    kinds, first = items.kinds[answers.first], pa.array(answers.first)
    words = list_column(items.sizes, items.words.dictionary_decode(), SAID.field("choices").type)
    numbers, texts = np.array(columns.numbers)[answers.first], pa.array(columns.texts, pa.string())
    said = {
        "control": items.controls.take(first).dictionary_decode(),
        "control_type": _TYPES.take(pa.array(kinds)),
        "choices": words.take(pa.array(answers.first, mask=kinds != KINDS["choices"])),
        "number": pa.array(numbers, mask=np.isnan(numbers)),
        "text": texts.take(pa.array(answers.first, mask=kinds != KINDS["text"])),
        "regions": list_column(
            np.where(kinds == _BOX, answers.sizes, -1),
            _boxes(columns, items, answers.items[np.repeat(kinds == _BOX, answers.sizes)], words, texts),
            SAID.field("regions").type,
        ),
        "raw": _raw(columns, answers),
    }
    return pa.table([said.get(field.name, pa.nulls(len(kinds), field.type)) for field in SAID], schema=SAID)


def _boxes(columns: PlainItems, items: _Items, chosen: _Ints, words: pa.ListArray, texts: pa.Array) -> pa.Array:
    """Return chosen items, all of them boxes, as regions."""
    boxes, places = (np.cumsum(items.kinds == _BOX) - 1)[chosen], pa.array(chosen)
    sides, rotations = np.array(columns.sides).reshape(-1, 4)[boxes], np.array(columns.rotations)[boxes]
    said = {
        "region_id": items.ids.take(places),
        "labels": words.take(places),
        "points": list_column(np.full(len(boxes), 4), pa.array(sides.ravel()), _REGION.field("points").type),
        "rotation": pa.array(rotations, mask=np.isnan(rotations)),
        "text": texts.take(places),
    }
    fields = [said.get(field.name, pa.nulls(len(boxes), field.type)) for field in _REGION]
    return pa.StructArray.from_arrays(fields, fields=[*_REGION])


def _raw(columns: PlainItems, answers: _Answers) -> pa.Array:
    """Return the items of each answer as a JSON list."""
    ends = np.cumsum(columns.lengths, dtype=np.int32)
    buffers = [None, pa.py_buffer(np.concatenate([np.zeros(1, np.int32), ends])), pa.py_buffer(columns.json)]
    texts = pa.Array.from_buffers(pa.string(), len(ends), buffers).take(pa.array(answers.items))
    joined = pc.binary_join(list_column(answers.sizes, texts, pa.list_(pa.string())), ",")
    return pc.binary_join_element_wise("[", joined, "]", "")
