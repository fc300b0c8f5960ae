"""The suppressions in force, read only after every key was recognised by its check value."""

from __future__ import annotations

from labelloop.erasure.suppression import Suppressions
from labelloop.identity import verified_check_values
from tasks.clients.hot import update
from tasks.clients.world import World

CHECK_VALUES = "suppression-keys.json"


def suppressions_in_force(world: World) -> Suppressions:
    """Return what must not come back.

    Raises:
        SuppressionKeyError: a key is missing or wrong, or the check values are gone; a run must not start then,
            because digests of a wrong key match nothing.
    """
    in_force = Suppressions(world.table("suppressions").read(), world.keys)
    kept = world.hot.get(CHECK_VALUES)
    # A lake in use without check values has lost them: whichever key is set could then pass for the right one.
    lost = kept is None and world.table("references").version() is not None
    used = world.keys.key_ids if lost else in_force.key_ids
    values = verified_check_values(world.keys, kept.value if kept else None, used)
    update(world.hot, CHECK_VALUES, lambda present: {**values, **(present or {})})
    return in_force
