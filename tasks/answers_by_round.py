"""Answers by the round that asked for them, and which rounds are settled: what is kept of nights speaks of these.

Only data files with answers to the wanted rounds are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import IntArray
from labelloop.rounds import is_settled
from labelloop.tallies.kept import portions, rounds_of_units
from tasks.clients.rounds import rounds_of
from tasks.clients.table_rows import text_of
from tasks.clients.world import World

MANY: Final = 200_000  # answers; fewer are measured and resolved in seconds, all of them every night
_AT_ONCE: Final = 200_000  # units whose answers are held at a time
_CHOSEN: Final = ["unit_id", "round", "stratum", "strategy", "inclusion_probability"]


class AnswersByRound:
    """The answers of a project as they are: `files` with the rounds each has answers to, units `chosen` by round.

    A unit that no round chose counts as one of round 0.
    """

    def __init__(self, world: World, known: Mapping[str, list[int]]) -> None:
        """Look into the files that are not `known` yet."""
        self._world, self._answers = world, world.table("annotations")
        self.batches = world.table("batches").read(columns=_CHOSEN)
        self.chosen = {row["values"]: row["counts"] for row in pc.value_counts(self.batches["round"]).to_pylist()}
        parts = {name: n for name, n in self._answers.parts().items() if n}
        self.files = {name: known[name] for name in parts.keys() & known.keys()}
        for some in portions(parts.keys() - known.keys(), parts, _AT_ONCE):
            self.files |= self._rounds(some)

    @property
    def rounds(self) -> set[int]:
        """The rounds that have answers."""
        return {number for numbers in self.files.values() for number in numbers}

    def settled(self) -> set[int]:
        """The rounds with answers that are settled by now."""
        records, now = rounds_of(self._world.hot, self._world.project), self._world.now()
        return {record.number for record in records if is_settled(record, now)} & self.rounds

    def portions(self, rounds: Collection[int]) -> Iterator[list[int]]:
        """Yield rounds, as many at a time as have a bounded number of units."""
        return portions(rounds, self.chosen, _AT_ONCE)

    def read(self, rounds: Collection[int], columns: Sequence[str]) -> pa.Table:
        """Return the active answers to some rounds."""
        wanted = set(rounds)
        names = [name for name, numbers in self.files.items() if not wanted.isdisjoint(numbers)]
        rows = self._answers.read(columns=columns, where=text_of("state") == "active", parts=names)
        if all(wanted.issuperset(self.files[name]) for name in names):
            return rows
        own = pc.is_in(pa.array(self.of_units(rows["unit_id"])), value_set=pa.array(sorted(rounds), pa.int64()))
        return rows.filter(own)

    def of_units(self, unit_ids: pa.ChunkedArray) -> IntArray:
        """Return the round of each unit."""
        return rounds_of_units(unit_ids, self.batches)

    def _rounds(self, names: list[str]) -> dict[str, list[int]]:
        """The rounds that files have answers to; told of several at once, since all batches are looked through."""
        units = [pc.unique(self._answers.read(columns=["unit_id"], parts=[name])["unit_id"]) for name in names]
        rounds = self.of_units(pa.chunked_array(units, pa.string()))
        ends = np.cumsum([len(of_file) for of_file in units])[:-1]
        return {name: np.unique(found).tolist() for name, found in zip(names, np.split(rounds, ends), strict=True)}
