"""Figures of agreement: of few answers measured anew every night, of many from tallies, by news alone."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.question import buckets_of
from labelloop.clusters import clusters_of
from labelloop.contracts import contract
from labelloop.night import agreement_rows, rows_of_tallies
from labelloop.opinions import without_confirmations
from labelloop.repeats import units_shown_twice
from labelloop.scoped_figures import Beside, repeat_figures
from labelloop.tallies.figures import kind_of
from labelloop.tallies.judging import OF_NO_QUESTION
from tasks.answers_by_round import MANY, AnswersByRound
from tasks.clients.lease import Lease
from tasks.clients.table_rows import text_of
from tasks.clients.world import World
from tasks.imported_labels import opinions_of_current_model
from tasks.people import people_counted, people_measured
from tasks.tallies import kept_of_tallies, tallies_of_all

_ONCE: Final = ("label", "audit")  # purposes of units whose media no other unit of these shows


class Figures(NamedTuple):
    """Rows of the contracts `agreement` and `annotators`."""

    agreement: pa.Table
    annotators: pa.Table


def figures_tonight(world: World, lease: Lease, round: int, *, many: int = MANY, full: bool = False) -> Figures:
    """Return what was measured.

    Args:
        world: the project's world.
        lease: checked before what was counted is kept.
        round: the newest.
        many: from so many answers on, settled rounds are counted once.
        full: count all anew.
    """
    table = world.table("annotations")
    if sum(table.parts().values()) < many:
        return Figures(_measured(world, round, table.read(), _beside(world)), people_measured(world))
    answers = AnswersByRound(world, kept_of_tallies(world).files)
    tallies = tallies_of_all(world, lease, answers, full=full)
    found = rows_of_tallies(tallies, _n_audit(world), **_settings(world, round))
    whole = [control for control, tally in tallies.items() if control != OF_NO_QUESTION and not kind_of(tally)]
    if whole:
        rows = table.read(where=text_of("control").isin(whole))
        found = pa.concat_tables([found, _measured(world, round, rows, _beside(world))])
    people = people_counted(world, tallies, answers, full=full)
    return Figures(pa.concat_tables([found, _repeated(world, round, whole)]), people)


def _measured(world: World, round: int, rows: pa.Table, beside: Beside, **wanted: Any) -> pa.Table:
    rows = without_confirmations(rows, world.spec.interface)
    buckets = buckets_of(world.spec.interface)
    return agreement_rows(rows, beside=beside, buckets=buckets, **_settings(world, round), **wanted)


def _settings(world: World, round: int) -> dict[str, Any]:
    spec = world.spec
    per_person = spec.annotators.figures == "lead"
    figures = {"n_min": spec.quality.n_min, "seed": spec.sampling.seed, "per_person": per_person}
    return {"round": round, "at": world.now(), **figures}


def _repeated(world: World, round: int, whole: list[str]) -> pa.Table:
    """Figures of media that somebody was asked about twice, in whatever rounds."""
    again = world.table("units").read(columns=["unit_id"], where=~text_of("purpose").isin(_ONCE))
    if not again.num_rows:
        return contract("agreement").schema.empty_table()
    beside = _beside(world)
    twice = text_of("unit_id").isin(units_shown_twice(beside.units)) & ~text_of("control").isin(whole)
    return _measured(world, round, world.table("annotations").read(where=twice), beside, figures=repeat_figures)


def _n_audit(world: World) -> int:
    chosen = world.table("batches").read(columns=["stratum"])["stratum"]
    return pc.sum(pc.equal(chosen, "audit")).as_py() or 0


def _beside(world: World) -> Beside:
    units = world.table("units").read(columns=["unit_id", "kind", "ref_ids", "media_versions"])
    read = ["unit_id", "round", "stratum", "strategy", "inclusion_probability"]
    batches = world.table("batches").read(columns=read)
    return Beside(batches, units, opinions_of_current_model(world, units), _clusters(world, units))


def _clusters(world: World, units: pa.Table) -> pa.Table:
    """The cluster of each unit; of the lake's references only those asked about are held."""
    shown = text_of("ref_id").isin(pc.unique(pc.list_flatten(units["ref_ids"])))
    columns = ["ref_id", "subject_hmac", "source_hmac"]
    return clusters_of(units, world.table("references").read(columns=columns, where=shown))
