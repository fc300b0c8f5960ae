"""The suppressions in force, read only after every key was recognised by its check value."""

from __future__ import annotations

import pyarrow as pa

from labelloop.erasure.suppression import Suppressions
from labelloop.errors import ErasedError
from tasks.artifacts import progress
from tasks.clients.hot import update
from tasks.clients.suppression_keys import CHECK_VALUES, recognised
from tasks.clients.world import World


def suppressions_in_force(world: World) -> Suppressions:
    """Return what must not come back.

    Raises:
        SuppressionKeyError: a key is missing or wrong, or the check values are gone; a run must not start then,
            because digests of a wrong key match nothing.
    """
    in_force = Suppressions(world.table("suppressions").read(), world.keys)
    lake_in_use = world.table("references").version() is not None
    values = recognised(world.hot, world.keys, in_force.key_ids, lake_in_use=lake_in_use)
    update(world.hot, CHECK_VALUES, lambda present: {**values, **(present or {})})
    return in_force


def admissible(world: World, in_force: Suppressions, arriving: pa.Table) -> pa.Table:
    """Return the rows of arriving objects that nothing suppresses, in their order.

    Bytes are read, in pieces, only where the size is that of suppressed content; an object that is gone by then is
    left to the caller.

    Args:
        world: the project's world; its bucket is where the objects lie.
        in_force: the suppressions.
        arriving: `key`, `size`, `subject`, `source` of each object, the ids in clear or null.
    """
    bucket, keys = world.spec.media.bucket, arriving["key"].to_pylist()
    covered = in_force.cover(bucket, keys, arriving["subject"].to_pylist(), arriving["source"].to_pylist())
    alike = in_force.may_cover_content(arriving["size"].to_pylist())
    read = [n for n, (suppressed, same) in enumerate(zip(covered, alike, strict=True)) if same and not suppressed]
    with progress(len(read), "comparing bytes with suppressed content") as bar:
        for number in read:
            covered[number] = in_force.cover_content([_digest(world, bucket, keys[number])])[0]
            bar.advance()
    return arriving.filter(pa.array([not suppressed for suppressed in covered], pa.bool_()))


def _digest(world: World, bucket: str, key: str) -> str:
    try:
        return world.media.fingerprint(bucket, key)[1]
    except ErasedError:
        return ""
