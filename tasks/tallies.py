"""Tallies in the lake: closed rounds are counted once, the others every night; see `labelloop.tallies`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.clusters import lasting_clusters_of
from labelloop.interface import COLUMNS
from labelloop.opinions import without_confirmations
from labelloop.tallies.answers import Known
from labelloop.tallies.counting import counted
from labelloop.tallies.kept import Kept, portions, recipe_of, rounds_of_units, still_settled
from labelloop.tallies.tally import Tally, emptied, tallies_of, tally_rows, together
from tasks.artifacts import progress
from tasks.clients.hot import update
from tasks.clients.lease import Lease
from tasks.clients.rounds import rounds_of
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.imported_labels import opinions_of_current_model

_AT_ONCE: Final = 200_000  # units counted at a time
_CHOSEN: Final = ["unit_id", "round", "stratum", "strategy", "inclusion_probability"]
_SHOWN: Final = ["unit_id", "kind", "ref_ids", "media_versions"]
_SAID: Final = [
    *("annotation_id", "control", "control_type", "unit_id", "annotator", *COLUMNS, "lead_time", "opinion_reason"),
    *("prediction_shown", "guideline_version", "state", "updated_at"),
]


def tallies_of_all(world: World, lease: Lease) -> dict[str, Tally]:
    """Return what was counted of all answers, by question; tonight only open and newly closed rounds are counted."""
    table, found = world.table("tallies"), world.hot.get(_key(world))
    kept = Kept.model_validate(found.value) if found else Kept()
    count = _Counter(world, kept.files)
    recipe = recipe_of([question.name for question in world.spec.interface.confirmations], count.model_name)
    holds = still_settled(kept, count.files, count.chosen, recipe=recipe, version=table.version())
    settled = kept.settled if holds else {}
    fresh = {number for numbers in count.files.values() for number in numbers} - settled.keys()
    closed = {record.number for record in rounds_of(world.hot, world.project) if record.state == "closed"} & fresh
    base = together([tallies_of(table.read()) if holds else {}, *count.parts(closed)])
    if closed or not holds:
        version = _write(world, lease, base)
        settled = settled | {number: count.chosen[number] for number in sorted(closed)}
        _remember(world, lease, Kept(recipe=recipe, version=version, settled=settled, files=count.files))
    return together([base, *count.parts(fresh - closed)])


class _Counter:
    """Counts the answers to some rounds; reads only the files that have any, and what is known of their units."""

    def __init__(self, world: World, known: Mapping[str, list[int]]) -> None:
        self._world, self._answers = world, world.table("annotations")
        self._batches = world.table("batches").read(columns=_CHOSEN)
        self._model = _model(world)
        self.chosen = {row["values"]: row["counts"] for row in pc.value_counts(self._batches["round"]).to_pylist()}
        parts = {name: n for name, n in self._answers.parts().items() if n}
        self.files = {name: known[name] for name in parts.keys() & known.keys()}
        for some in portions(parts.keys() - known.keys(), parts, _AT_ONCE):
            self.files |= self._rounds(some)

    @property
    def model_name(self) -> str:
        """Of the model that people are compared with, empty without one."""
        return str(self._model["annotator"][0]) if self._model is not None and self._model.num_rows else ""

    def parts(self, rounds: Collection[int]) -> Iterator[dict[str, Tally]]:
        """Yield what was counted of the rounds, a bounded number of units at a time."""
        with progress(len(rounds), "counting answers") as bar:
            for some in portions(rounds, self.chosen, _AT_ONCE):
                rows = self._rows(some)
                yield counted(rows, self._known(rows, some))
                bar.advance(len(some))

    def _rounds(self, names: list[str]) -> dict[str, list[int]]:
        """The rounds that files have answers to; told of several at once, since all batches are looked through."""
        units = [pc.unique(self._answers.read(columns=["unit_id"], parts=[name])["unit_id"]) for name in names]
        rounds = rounds_of_units(pa.chunked_array(units, pa.string()), self._batches)
        ends = np.cumsum([len(of_file) for of_file in units])[:-1]
        return {name: np.unique(found).tolist() for name, found in zip(names, np.split(rounds, ends), strict=True)}

    def _rows(self, rounds: list[int]) -> pa.Table:
        names = [name for name, numbers in self.files.items() if not set(rounds).isdisjoint(numbers)]
        rows = self._answers.read(columns=_SAID, where=text_of("state") == "active", parts=names)
        own = pc.is_in(pa.array(rounds_of_units(rows["unit_id"], self._batches)), value_set=pa.array(rounds))
        return without_confirmations(rows.filter(own), self._world.spec.interface)

    def _known(self, rows: pa.Table, rounds: list[int]) -> Known:
        answered = text_of("unit_id").isin(pc.unique(rows["unit_id"]))
        units = self._world.table("units").read(columns=["unit_id", "ref_ids"], where=answered)
        shown = text_of("ref_id").isin(pc.unique(pc.list_flatten(units["ref_ids"])))
        columns = ["ref_id", "subject_hmac", "source_hmac"]
        clusters = lasting_clusters_of(units, self._world.table("references").read(columns=columns, where=shown))
        batches = self._batches.filter(pc.is_in(self._batches["round"], value_set=pa.array(rounds)))
        return Known(batches, clusters, self._model)


def _model(world: World) -> pa.Table | None:
    """What the model in force says of every unit; None without predictions."""
    if world.table("predictions").version() is None:
        return None
    return opinions_of_current_model(world, world.table("units").read(columns=_SHOWN))


def _write(world: World, lease: Lease, tallies: Mapping[str, Tally]) -> int | None:
    """Write the sums of settled rounds over those that were there, and return the version that holds them."""
    rows, before = tally_rows(tallies), world.table("tallies").read()
    commit(world, lease, "tallies", pa.concat_tables([rows, emptied(before, rows)]), stage="agreement")
    return world.table("tallies").version()


def _remember(world: World, lease: Lease, kept: Kept) -> None:
    lease.check()
    update(world.hot, _key(world), lambda _: kept.model_dump(mode="json"))


def _key(world: World) -> str:
    return f"tallies/{world.project}.json"
