"""Answers that put items in order, in one list or in several buckets."""

from __future__ import annotations

from typing import NamedTuple

from labelloop.errors import InputError
from labelloop.interface.answer import Item, Marks, Reading
from labelloop.interface.parse_values import texts


class Ranked(NamedTuple):
    """One item and its place in its bucket, 0 first; no bucket where there is one list only."""

    item: str
    rank: int
    bucket: str | None


def read_ranking(items: list[Item], _marks: Marks) -> Reading:
    """Return the order of a Ranker, buckets by name: a server on PostgreSQL keeps no order of theirs.

    Label Studio stores a dictionary of lists. Without buckets it has one, under the name of the control; with
    buckets one for each, empty or not, and what is not sorted yet under `_`.

    Raises:
        InputError: it has another shape, or an item is there twice.

    >>> stored = {"from_name": "rank", "type": "ranker", "value": {"ranker": {"best": ["x"], "_": []}}}
    >>> read_ranking([stored], Marks(set(), set(), {}))[2]
    [Ranked(item='x', rank=0, bucket='best')]
    """
    lists = items[0]["value"].get("ranker")
    if len(items) > 1:
        raise InputError("it was answered twice")
    if not isinstance(lists, dict) or not lists:
        raise InputError("its order is not given as lists")
    plain = list(lists) == [items[0].get("from_name")]
    found = [
        Ranked(item, rank, None if plain else bucket)
        for bucket, ordered in sorted(lists.items())
        for rank, item in enumerate(texts(ordered, "items") if ordered != [] else [])
    ]
    if len({ranked.item for ranked in found}) < len(found):
        raise InputError("one of its items is in two buckets")
    return "ranking", "ranked", found
