"""Plain items of results: a value of the whole object, or a labelled box, checked by their types as they are decoded.

Most exports hold nothing else. Whatever has another shape is left to `parse.py`, which takes what is taken here for
the same, and else tells the reason.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from math import nan
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final

import msgspec
import orjson

from labelloop.nested_columns import WordLists, Words

_Name = Annotated[str, msgspec.Meta(min_length=1)]


class _Value(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """What a value does not have is as here; one that holds anything else, as a track does, is not plain."""

    words: ClassVar[Sequence[str]] = ()
    number: ClassVar[float] = nan
    text: ClassVar[str | list[str] | None] = None


class _Choices(_Value, rename={"words": "choices"}):
    words: Annotated[list[str], msgspec.Meta(min_length=1)]  # type: ignore[misc]


class _Rating(_Value, rename={"number": "rating"}):
    number: float  # type: ignore[misc]


class _Number(_Value):
    number: float  # type: ignore[misc]


class _Text(_Value):
    text: str | list[str]  # type: ignore[misc]


class _Box(_Value, rename={"words": "rectanglelabels", "text": "ocrtext"}):
    x: float
    y: float
    width: float
    height: float
    rotation: float = nan
    words: list[str] = []  # type: ignore[misc]
    text: str | None = None  # type: ignore[misc]


class _Item(msgspec.Struct, gc=False, kw_only=True, tag_field="type"):
    from_name: _Name
    id: str | None = None


class _OfChoices(_Item, tag="choices"):
    value: _Choices


class _OfRating(_Item, tag="rating"):
    value: _Rating


class _OfNumber(_Item, tag="number"):
    value: _Number


class _OfText(_Item, tag="textarea"):
    value: _Text


class _OfBox(_Item, tag="rectanglelabels"):
    id: _Name
    value: _Box


_PLAIN: Final = msgspec.json.Decoder(list[list[_OfChoices | _OfRating | _OfNumber | _OfText | _OfBox]])
_ANY: Final = msgspec.json.Decoder(list[list[Any]])
_TEXTS: Final = msgspec.json.Decoder(list[list[msgspec.Raw]])
# No JSON, no text, nothing plain, too deep; or what JSON cannot hold.
_ODD: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError)
_VALUES: Final = {"choices": _Choices, "rating": _Rating, "number": _Number, "text": _Text, "rectangle": _Box}
# The kinds of values as numbers, by our names for their controls.
KINDS: Final = {name: code for code, name in enumerate(_VALUES)}
_CODES: Final[Mapping[type, int]] = {value: code for code, value in enumerate(_VALUES.values())}
# Items of fewer bytes have no brackets deeper than orjson's 254.
_DEEP: Final = 2 * 254
# So few results at a time that what they were decoded into is still at hand when it goes into columns.
_BATCH: Final = 64


class PlainItems:
    """Columns of items: of each its kind, control, id, words, number, text and JSON, the last end to end.

    `counts` says how many items each result has, -1 where it is left to `parse`; `sides` and `rotations` are of boxes
    alone, x, y, width and height one after the other.
    """

    def __init__(self, results: Sequence[msgspec.Raw]) -> None:
        """Take in the items of all results that hold plain ones only, in their order.

        >>> one = b'{"from_name": "q", "type": "choices", "value": {"choices": ["b"]}}'
        >>> found = PlainItems([*map(msgspec.Raw, [b"[" + one + b"]", b'[{"foo": 1}]', b"[]"])])
        >>> found.words.array().to_pylist(), found.counts.tolist()
        ([['b']], [1, -1, 0])
        """
        self.kinds, self.counts, self.lengths = array("b"), array("q"), array("i")
        self.numbers, self.sides, self.rotations = array("d"), array("d"), array("d")
        self.controls, self.words = Words(), WordLists()
        self.ids: list[str | None] = []
        self.texts: list[str | None] = []
        self.json = bytearray()
        for start in range(0, len(results), _BATCH):
            self._take_in(results[start : start + _BATCH])

    def _take_in(self, results: Sequence[msgspec.Raw]) -> None:
        """Take in a batch at once, or one result after the other if one of them is not plain."""
        given = b"".join((b"[", b",".join(results), b"]"))
        try:
            plain = _PLAIN.decode(given)
            texts = _texts(given)
        except _ODD:
            if len(results) == 1:
                self.counts.append(-1)
            else:
                for result in results:
                    self._take_in([result])
            return
        self.counts.extend(map(len, plain))
        self.lengths.extend(map(len, texts))
        self.json += b"".join(texts)
        self._extend([*chain.from_iterable(plain)])

    def _extend(self, items: Sequence[_Item]) -> None:
        values = [*map(attrgetter("value"), items)]
        self.kinds.extend(map(_CODES.__getitem__, map(type, values)))
        self.controls.extend(map(attrgetter("from_name"), items))
        self.ids.extend(map(attrgetter("id"), items))
        self.words.extend([*map(attrgetter("words"), values)])
        self.numbers.extend(map(attrgetter("number"), values))
        texts = map(attrgetter("text"), values)
        self.texts.extend(["\n".join(text) if isinstance(text, list) else text for text in texts])
        boxes = [value for value in values if isinstance(value, _Box)]
        self.sides.extend(chain.from_iterable(map(attrgetter("x", "y", "width", "height"), boxes)))
        self.rotations.extend(map(attrgetter("rotation"), boxes))


def _texts(given: bytes) -> Sequence[bytes | msgspec.Raw]:
    """Return the JSON of each item without blanks, characters escaped only where they must be.

    To drop the blanks alone takes half the time, but leaves escapes as they are and brackets as deep as they are.
    """
    if b"\\" not in given:
        given.decode()  # raises what is no text
        texts = [*chain.from_iterable(_TEXTS.decode(msgspec.json.format(given, indent=-1)))]
        if max(map(len, texts), default=0) < _DEEP:
            return texts
    return [orjson.dumps(item) for result in _ANY.decode(given) for item in result]
