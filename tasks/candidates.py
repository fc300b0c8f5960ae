"""The pool of a project as the batch is chosen from it: what the lake knows of each reference, hashes and costs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.asked import answer_times
from labelloop.errors import ConfigurationError
from labelloop.pool import comparable, scoring_model, split_pool
from labelloop.sampling import Limits, expected_hours, perceptual_hash
from labelloop.spec import ProjectSpec
from tasks.clients.world import World
from tasks.features import stored_features


class Candidates(NamedTuple):
    """`fresh` may be chosen, `asked` was, in `units`; `model` says what is known of them; how many are `waiting`."""

    fresh: pa.Table
    asked: pa.Table
    units: pa.Table
    model: str | None
    waiting: int


def read_candidates(world: World, number: int) -> Candidates:
    """Return the pool with the columns that strategy, objectives and limits of the spec may need.

    Args:
        world: the project's outside.
        number: of the round to choose for; what a killed run has written of it counts for nothing.
    """
    media, units = world.spec.media, world.table("units").read()
    units = units.filter(pc.not_equal(units["round"], number))
    predictions = world.table("predictions").read()
    model = scoring_model(world.table("models").read(), predictions, now=world.now())
    unasked, asked = split_pool(
        world.table("references").read(),
        predictions,
        units,
        bucket=media.bucket,
        prefix=media.prefix,
        model_version=model,
    )
    fresh = comparable(unasked)
    waiting = unasked.num_rows - fresh.num_rows
    fresh, asked = (_hashed(world, table) for table in (fresh, comparable(asked)))
    return Candidates(_priced(world, fresh, asked, units), asked, units, model, waiting)


def limits_of(spec: ProjectSpec) -> Limits:
    """Return what the spec forbids a batch to hold."""
    sampling = spec.sampling
    return Limits(sampling.near_duplicates, sampling.quotas, sampling.budget.hours_per_round)


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
