"""Tallies in the lake: settled rounds are counted once, the others every night; see `labelloop.tallies`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.clusters import lasting_clusters_of
from labelloop.interface import COLUMNS
from labelloop.opinions import experts_among, without_confirmations
from labelloop.tallies.answers import Known
from labelloop.tallies.counting import counted
from labelloop.tallies.kept import Kept, recipe_of, still_settled
from labelloop.tallies.tally import Tally, emptied, tallies_of, tally_rows, together
from tasks.answers_by_round import AnswersByRound
from tasks.artifacts import progress
from tasks.clients.hot import update
from tasks.clients.lease import Lease
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.imported_labels import opinions_of_current_model

_SHOWN: Final = ["unit_id", "kind", "ref_ids", "media_versions"]
_SAID: Final = [
    *("annotation_id", "control", "control_type", "unit_id", "annotator", *COLUMNS, "lead_time", "opinion_reason"),
    *("prediction_shown", "guideline_version", "state", "updated_at"),
]


def tallies_of_all(world: World, lease: Lease, answers: AnswersByRound, *, full: bool = False) -> dict[str, Tally]:
    """Return what was counted of all answers, by question; only rounds that are not settled are counted every night.

    Args:
        world: the project's world.
        lease: checked before anything is kept.
        answers: as they are.
        full: count all anew.
    """
    table, kept = world.table("tallies"), Kept() if full else kept_of_tallies(world)
    count = _Counter(world, answers)
    holds = still_settled(kept, answers.files, answers.chosen, recipe=count.recipe, version=table.version())
    settled = kept.settled if holds else {}
    fresh = answers.rounds - settled.keys()
    newly = answers.settled() & fresh
    base = together([tallies_of(table.read()) if holds else {}, *count.parts(newly)])
    if newly or not holds:
        version = _write(world, lease, base)
        settled = settled | {number: answers.chosen[number] for number in sorted(newly)}
        _remember(world, lease, Kept(recipe=count.recipe, version=version, settled=settled, files=answers.files))
    return together([base, *count.parts(fresh - newly)])


def kept_of_tallies(world: World) -> Kept:
    """Return what the table `tallies` holds."""
    found = world.hot.get(_key(world))
    return Kept.model_validate(found.value) if found else Kept()


class _Counter:
    """Counts the answers to some rounds, and reads what is known of their units."""

    def __init__(self, world: World, answers: AnswersByRound) -> None:
        self._world, self._answers, self._model = world, answers, _model(world)
        self._experts = experts_among(world.table("annotators").read(columns=["annotator", "level"]))

    @property
    def recipe(self) -> str:
        """What names the way of counting."""
        confirmations = [question.name for question in self._world.spec.interface.confirmations]
        named = str(self._model["annotator"][0]) if self._model is not None and self._model.num_rows else ""
        return recipe_of(confirmations, named, self._experts)

    def parts(self, rounds: Collection[int]) -> Iterator[dict[str, Tally]]:
        """Yield what was counted of the rounds, a bounded number of units at a time."""
        with progress(len(rounds), "counting answers") as bar:
            for some in self._answers.portions(rounds):
                rows = without_confirmations(self._answers.read(some, _SAID), self._world.spec.interface)
                yield counted(rows, self._known(rows, some))
                bar.advance(len(some))

    def _known(self, rows: pa.Table, rounds: list[int]) -> Known:
        answered = text_of("unit_id").isin(pc.unique(rows["unit_id"]))
        units = self._world.table("units").read(columns=["unit_id", "ref_ids"], where=answered)
        shown = text_of("ref_id").isin(pc.unique(pc.list_flatten(units["ref_ids"])))
        columns = ["ref_id", "subject_hmac", "source_hmac"]
        clusters = lasting_clusters_of(units, self._world.table("references").read(columns=columns, where=shown))
        batches = self._answers.batches
        batches = batches.filter(pc.is_in(batches["round"], value_set=pa.array(rounds)))
        return Known(batches, clusters, self._model, self._experts)


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
