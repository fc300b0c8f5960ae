"""The bytes of media whose content stands in the task itself, because Label Studio has no link for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from labelloop.task_data import needs_content
from tasks.clients.world import World

# More is nothing that people read in one task; what is cut off here is refused as no record.
_BYTES: Final = 1_000_000


def contents_of(world: World, rows: Iterable[Mapping[str, Any]]) -> dict[str, bytes]:
    """Return by reference id the content of the members of these units; empty where tasks hold addresses alone.

    Args:
        world: the project's outside.
        rows: units with their `members`, see `labelloop.push.Wanted`.
    """
    if not needs_content(world.spec):
        return {}
    wanted = {member["key"]: member["ref_id"] for row in rows for member in row["members"]}
    read = world.media.read_many(world.spec.media.bucket, list(wanted), limit=_BYTES)
    return {wanted[key]: data for key, data in read}
