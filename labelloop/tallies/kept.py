"""Which rounds are looked at tonight: those that are not settled, and all of them when anything of those has changed.

Answers lie in data files that are never written again, so that a name that is missing or new tells what changed,
however it came about: new answers, edits, deletions, erasures, a purge, a restored lake.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from labelloop.agreement.ratings import IntArray

RULES = 2  # raise it when anything is counted in another way
Name = TypeVar("Name", int, str)


class Kept(BaseModel):
    """What a table holds of all `settled` rounds, with the number of units chosen in each.

    `recipe` says how it was made, `version` is that of the table, `files` the rounds that each file of answers has
    answers to. Of labels `whole` names the questions of which settled rounds, too, are decided every night, and
    `accepted` says how many answers of each annotator to settled rounds stand in an accepted label, if that is known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str = ""
    version: int | None = None
    settled: dict[int, int] = {}
    files: dict[str, list[int]] = {}
    whole: list[str] = []
    accepted: dict[str, int] | None = None


def recipe_of(confirmations: Collection[str], model: str, experts: Collection[str]) -> str:
    """Return what names the way of counting: the rules, questions left out, the model compared with, who rules."""
    told = [RULES, sorted(confirmations), model, sorted(experts)]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]


def rounds_of_units(unit_ids: pa.ChunkedArray, batches: pa.Table) -> IntArray:
    """Return the round that each unit was chosen in; 0 for one that no round chose.

    >>> batches = pa.table({"unit_id": ["a"], "round": [3]})
    >>> rounds_of_units(pa.chunked_array([["a", "b"]]), batches).tolist()
    [3, 0]
    """
    there = batches.filter(pc.is_in(batches["unit_id"], value_set=pc.unique(unit_ids)))
    place = pc.index_in(unit_ids, value_set=there["unit_id"].combine_chunks())
    return np.asarray(pc.fill_null(there["round"].take(place), 0), dtype=np.int64)


def portions(names: Collection[Name], sizes: Mapping[Name, int], at_once: int) -> Iterator[list[Name]]:
    """Yield rounds or files, ascending, as many at a time as hold `at_once` rows, but at least one.

    What has no size is on its own.

    >>> list(portions({1, 2, 3, 0}, {1: 5, 2: 4, 3: 3}, 8))
    [[0], [1], [2, 3]]
    """
    some: list[Name] = []
    held = 0
    for name in sorted(names):
        size = sizes.get(name, at_once)
        if some and held + size > at_once:
            yield some
            some, held = [], 0
        some.append(name)
        held += size
    if some:
        yield some


def still_settled(
    kept: Kept, files: Mapping[str, Collection[int]], chosen: Mapping[int, int], *, recipe: str, version: int | None
) -> bool:
    """Return whether what was counted of settled rounds still holds.

    Args:
        kept: what was counted.
        files: the files of answers as they are, and the rounds each has answers to.
        chosen: how many units each round chose.
        recipe: how is counted tonight.
        version: of the table `tallies`.

    >>> kept = Kept(recipe="r", version=0, settled={1: 9}, files={"a": [1], "b": [2]})
    >>> [still_settled(kept, files, {1: 9}, recipe="r", version=0) for files in ({"a": [1], "c": [2]}, {"c": [1, 2]})]
    [True, False]
    """
    if (kept.recipe, kept.version) != (recipe, version) or any(chosen.get(r) != n for r, n in kept.settled.items()):
        return False
    other = kept.files.keys() ^ files.keys()
    touched = {number for name in other for number in (kept.files.get(name) or files.get(name, ()))}
    return not touched & kept.settled.keys()
