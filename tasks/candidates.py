"""The pool of a project as the batch is chosen from it: what the lake knows of each reference, hashes and costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.asked import answer_times
from labelloop.calibration import with_temperature_of_pool
from labelloop.contracts import contract
from labelloop.errors import ConfigurationError
from labelloop.evaluations import last_temperature
from labelloop.pool import comparable, scoring_model, split_pool
from labelloop.sampling import Limits, expected_hours, perceptual_hash
from labelloop.spec import ProjectSpec
from tasks.clients.world import World
from tasks.features import stored_features
from tasks.parts import Range, ref_id


class Candidates(NamedTuple):
    """`fresh` may be chosen, `asked` was, in `units`; `model` says what is known of them; how many are `waiting`.

    Where `fresh` holds short lists of shards, `open_rows` is what `compose_batch` has to know of the whole.
    """

    fresh: pa.Table
    asked: pa.Table
    units: pa.Table
    model: str | None
    waiting: int
    open_rows: int | None = None


def read_candidates(world: World, number: int, model: str | None, within: Range | None = None) -> Candidates:
    """Return the pool with the columns that strategy, objectives and limits of the spec may need.

    Args:
        world: the project's outside.
        number: of the round to choose for; what a killed run has written of it counts for nothing.
        model: whose predictions count.
        within: only what may be chosen of these references; what was asked before is there in any case.
    """
    units = world.table("units").read()
    units = units.filter(pc.not_equal(units["round"], number))
    unasked, asked = _split(world, units, model, within and within.condition | _members(units))
    if within:
        unasked = unasked.filter(within.condition)
    fresh = with_temperature_of_pool(comparable(unasked), last_temperature(world.table("evaluations").read(), model))
    waiting = unasked.num_rows - fresh.num_rows
    fresh, asked = (_hashed(world, table) for table in (fresh, comparable(asked)))
    return Candidates(_priced(world, fresh, asked, units), asked, units, model, waiting)


def read_asked(world: World) -> pa.Table:
    """Return what was asked about and still is as it was, with all by which references can be alike."""
    units = world.table("units").read()
    return _hashed(world, _split(world, units, model_in_force(world), _members(units))[1])


def model_in_force(world: World) -> str | None:
    """Return the model whose predictions count, reading of them no more than one row of each batch."""
    columns = ["model_version", "created_at", "probabilities"]
    table, newest = world.table("predictions"), [contract("predictions").schema.empty_table().select(columns)]
    for batch in table.batches(columns=columns):
        rows = pa.Table.from_batches([batch])
        rows = rows.filter(pc.is_valid(rows["probabilities"]))
        newest.append(rows.sort_by([("created_at", "descending"), ("model_version", "ascending")])[:1])
    return scoring_model(world.table("models").read(), pa.concat_tables(newest), now=world.now())


def limits_of(spec: ProjectSpec) -> Limits:
    """Return what the spec forbids a batch to hold."""
    sampling = spec.sampling
    return Limits(sampling.near_duplicates, sampling.quotas, sampling.budget.hours_per_round)


def _members(units: pa.Table) -> pc.Expression:
    """The rows of a table that speak of a reference in one of these units."""
    return ref_id().isin(pa.array(pc.list_flatten(units["ref_ids"]).to_pylist(), pa.string()))


def _split(
    world: World, units: pa.Table, model: str | None, where: pc.Expression | None
) -> tuple[pa.Table, pa.Table]:
    """The references of the project that are in none of these units, and those that are; only some, if `where`."""
    return split_pool(
        world.table("references").read(where=where),
        world.table("predictions").read(where=where),
        units,
        bucket=world.spec.media.bucket,
        prefix=world.spec.media.prefix,
        model_version=model,
    )


def _hashed(world: World, table: pa.Table) -> pa.Table:
    """The table with perceptual hashes of its images, where the spec compares them; null where no vector is kept."""
    if world.spec.sampling.near_duplicates.perceptual_bits is None:
        return table
    if world.spec.interface.media != "image":
        raise ConfigurationError(
            "sampling.near_duplicates.perceptual_bits compares images",
            remedy="leave it out, or give interface.media: image",
        )
    shape = world.spec.model.features
    found: dict[str, np.uint64] = {}
    for rows, vectors in stored_features(world, table.select(["ref_id", "media_version"])):
        grey = vectors.reshape(len(vectors), shape.height * shape.width, -1).mean(axis=2)
        found |= dict(zip(rows["ref_id"].to_pylist(), perceptual_hash(grey, shape.height, shape.width), strict=True))
    hashes = pa.array([found.get(ref) for ref in table["ref_id"].to_pylist()], pa.uint64())
    return table.append_column("perceptual_hash", hashes)


def _priced(world: World, fresh: pa.Table, asked: pa.Table, units: pa.Table) -> pa.Table:
    """The pool with the hours each reference will take."""
    budget, overlap = world.spec.sampling.budget, world.spec.overlap
    answers = world.table("annotations").read(columns=["unit_id", "lead_time", "state"])
    hours = expected_hours(
        fresh["stratum"],
        answer_times(answers, units, asked),
        seconds_per_answer=budget.seconds_per_answer,
        opinions=1 + overlap.share * (overlap.annotators - 1),
    )
    return fresh.append_column("cost", pa.array(hours))
