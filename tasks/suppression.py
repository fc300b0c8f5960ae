"""The suppressions in force, read only after every key was recognised by its check value."""

from __future__ import annotations

from labelloop.erasure.suppression import Suppressions
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
