"""What consensus decides tonight: everything, or of a large project the units of rounds that are not settled.

What annotators confuse is learnt from settled rounds, so that their labels stay as they are until one of their
answers changes or another round settles.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.question import buckets_of
from labelloop.beside import Beside
from labelloop.consensus.learnt import Learnt, learnt_from, learnt_rows
from labelloop.contracts import contract
from labelloop.labels import learnt_of, not_decided_apart
from labelloop.opinions import experts_among, without_confirmations
from labelloop.tallies.kept import Kept, still_settled
from tasks.answers_by_round import AnswersByRound
from tasks.clients.hot import update
from tasks.clients.lease import Lease
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.imported_labels import beside_annotators
from tasks.people import ANSWERED, accepted_in, kept_of_labels, key_of_labels
from tasks.rulings import given_rulings

_RULES: Final = 2  # raise it when labels are decided in another way
_ALL: Final = tuple(contract("annotations").schema.names)
Keep = Callable[[pa.ChunkedArray], pa.ChunkedArray]


@dataclass(frozen=True)
class Tonight:
    """The `answers` to decide by, in parts that are decided apart, and labels as they are (`present`).

    By question what was `learnt` elsewhere; `beside` is what counts beside annotators. `keep` remembers what was
    done, once labels are written.
    """

    answers: Iterable[pa.Table]
    present: pa.Table
    experts: list[str]
    learnt: Mapping[str, Learnt]
    beside: Beside
    keep: Callable[[], None]


class _Rulings:
    """What experts say in the reviewing project, and who rules."""

    def __init__(self, world: World) -> None:
        self.rows, reviewers = given_rulings(world)
        self.experts = sorted({*experts_among(world.table("annotators").read()), *reviewers})


def decided_tonight(world: World, lease: Lease, *, many: int, full: bool) -> Tonight:
    """Return what to decide.

    Args:
        world: the project's world.
        lease: checked before anything is kept.
        many: from so many answers on, settled rounds are decided only when something of them changed.
        full: decide all anew.
    """
    given, spec = _Rulings(world), world.spec.consensus
    if spec.imported or spec.model or sum(world.table("annotations").parts().values()) < many:
        return _everything(world, given)
    night = _Night(world, lease, given, full=full)
    return night.tonight() if night.is_mostly_settled else _everything(world, given)


def learnt_last(world: World) -> dict[str, Learnt]:
    """Return what the labels were decided by, by question; nothing of those that were resolved all at once."""
    kept = kept_of_labels(world)
    if kept.version is None or kept.version != world.table("labels").version():
        return {}
    learnt = learnt_from(world.table("confusions").read())
    return {control: found for control, found in learnt.items() if control not in kept.whole}


def _everything(world: World, given: _Rulings) -> Tonight:
    rows = pa.concat_tables([world.table("annotations").read(), given.rows])
    answers = without_confirmations(rows, world.spec.interface)
    units = world.table("units").read(columns=["unit_id", "kind", "ref_ids", "media_versions"])
    beside = beside_annotators(world, answers, units, given.experts)
    return Tonight([answers], world.table("labels").read(), given.experts, {}, beside, lambda: None)


class _Night:
    """One night of a large project."""

    def __init__(self, world: World, lease: Lease, given: _Rulings, *, full: bool) -> None:
        self._world, self._lease, self._given = world, lease, given
        self._kept = Kept() if full else kept_of_labels(world)
        self._answers = AnswersByRound(world, self._kept.files)
        self._settled = {number: self._answers.chosen.get(number, 0) for number in sorted(self._answers.settled())}

    @property
    def is_mostly_settled(self) -> bool:
        """Whether settled rounds have units enough to learn from: as many as all others."""
        return 2 * sum(self._settled.values()) >= sum(self._answers.chosen.values())

    def tonight(self) -> Tonight:
        """Return what to decide: all if anything of settled rounds changed, else the others."""
        holds = self._holds()
        learnt = learnt_from(self._world.table("confusions").read()) if holds else self._learn()
        fresh = self._rows({0, *self._answers.chosen} - self._settled.keys())
        whole = not_decided_apart(fresh, learnt, buckets_of(self._world.spec.interface))
        parts: Iterable[pa.Table] = [fresh]
        if whole:
            together = self._rows(self._settled, keep=lambda control: pc.is_in(control, value_set=_texts(whole)))
            parts = [pa.concat_tables([fresh, together])]
        if holds and whole == self._kept.whole:
            present = self._labels_of_others(whole)
        else:
            parts, present = chain(parts, self._apart(whole)), self._world.table("labels").read()
        known = {control: found for control, found in learnt.items() if control not in whole}
        keep = partial(self._keep, whole, holds)
        return Tonight(parts, present, self._given.experts, known, Beside(), keep)

    def _labels_of_others(self, whole: list[str]) -> pa.Table:
        """Labels of rounds that are not settled, and of questions that are decided whole; of few files, as a rule."""
        labels, settled = self._world.table("labels"), self._units(self._settled)
        ids = {name: labels.read(columns=["unit_id"], parts=[name])["unit_id"] for name in labels.parts()}
        chunks = [chunk for of_file in ids.values() for chunk in of_file.chunks]
        own = pc.is_in(pa.chunked_array(chunks, pa.string()), value_set=settled).to_numpy()
        ends = np.cumsum([len(of_file) for of_file in ids.values()])[:-1]
        names = [name for name, found in zip(ids, np.split(own, ends), strict=False) if whole or not found.all()]
        where = ~text_of("unit_id").isin(settled) | text_of("control").isin(_texts(whole))
        return labels.read(where=where, parts=names)

    def _apart(self, whole: list[str]) -> Iterator[pa.Table]:
        """Yield what was said of settled rounds, but for questions that are decided together."""
        for some in self._answers.portions(self._settled):
            yield self._rows(some, keep=lambda control: pc.invert(pc.is_in(control, value_set=_texts(whole))))

    def _holds(self) -> bool:
        """Whether the labels of settled rounds still follow from their answers and rulings, and no round is new."""
        version, same = self._world.table("labels").version(), self._kept.settled == self._settled
        files, chosen = self._answers.files, self._answers.chosen
        return same and still_settled(self._kept, files, chosen, recipe=self._recipe(), version=version)

    def _learn(self) -> dict[str, Learnt]:
        """What annotators confuse in settled rounds; it takes the place of what was learnt before."""
        method, experts = self._world.spec.consensus.method, self._given.experts
        learnt = learnt_of(self._rows(self._settled, columns=ANSWERED), experts=experts, method=method)
        rows, table = learnt_rows(learnt), self._world.table("confusions")
        before = table.read(columns=["confusion_id"])["confusion_id"]
        gone = before.filter(pc.invert(pc.is_in(before, value_set=rows["confusion_id"].combine_chunks())))
        commit(self._world, self._lease, "confusions", rows, stage="consensus")
        table.delete("confusion_id", gone.to_pylist(), fence=self._lease.check)
        return learnt

    def _rows(self, rounds: Collection[int], *, columns: Sequence[str] = _ALL, keep: Keep | None = None) -> pa.Table:
        """What annotators and experts say of the units of some rounds; `keep` chooses by control."""
        ruled = self._given.rows.filter(self._of(self._given.rows, rounds))
        rows = pa.concat_tables([self._answers.read(rounds, columns), ruled.select(columns)])
        rows = without_confirmations(rows, self._world.spec.interface)
        return rows if keep is None else rows.filter(keep(rows["control"]))

    def _of(self, rows: pa.Table, rounds: Collection[int]) -> pa.Array:
        own = pa.array(self._answers.of_units(rows["unit_id"]))
        return pc.is_in(own, value_set=pa.array(sorted(rounds), pa.int64()))

    def _units(self, rounds: Collection[int]) -> pa.Array:
        batches = self._answers.batches
        own = pc.is_in(batches["round"], value_set=pa.array(sorted(rounds), pa.int64()))
        return batches["unit_id"].filter(own).combine_chunks()

    def _recipe(self) -> str:
        """What labels of settled rounds follow from beside the answers: rules, spec, rulings, what was learnt."""
        spec, ruled = self._world.spec, self._given.rows.filter(self._of(self._given.rows, self._settled))
        given = ruled.select(["annotation_id", "control", "state", "updated_at"]).to_pylist()
        asked = [spec.consensus.method, spec.quality.accept_confidence, spec.interface.model_dump(mode="json")]
        told = [_RULES, asked, self._given.experts, sorted(str(row) for row in given)]
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return f"{digest} {self._world.table('confusions').version()}"

    def _keep(self, whole: list[str], holds: bool) -> None:
        version, accepted = self._world.table("labels").version(), self._kept.accepted
        if whole or not holds or accepted is None:
            wanted = not whole and self._world.spec.annotators.figures == "lead"
            accepted = accepted_in(self._world, self._answers, self._settled) if wanted else None
        of_night = {"settled": self._settled, "files": self._answers.files, "whole": whole, "accepted": accepted}
        kept = Kept(recipe=self._recipe(), version=version, **of_night)
        self._lease.check()
        update(self._world.hot, key_of_labels(self._world), lambda _: kept.model_dump(mode="json"))


def _texts(names: Collection[str]) -> pa.Array:
    return pa.array(list(names), pa.string())
