"""Which world a part of an erasure plan belongs to: the plan names projects, the worlds are those of the lake."""

from __future__ import annotations

from collections.abc import Sequence

from labelloop.erasure.plan import Plan, ProjectReach
from labelloop.errors import ConfigurationError
from tasks.clients.world import World


def world_of(worlds: Sequence[World], project: str) -> World:
    """Return the world of a project.

    Raises:
        ConfigurationError: its spec is gone, so that what it holds cannot be reached.
    """
    found = next((world for world in worlds if world.project == project), None)
    if found is None:
        raise ConfigurationError(
            f"an erasure reaches project {project!r}, whose spec is gone",
            remedy="restore its file until the erasure is done",
        )
    return found


def reached(worlds: Sequence[World], plan: Plan) -> list[tuple[World, ProjectReach]]:
    """Return each project the plan reaches with what it reaches there; raises as `world_of`."""
    return [(world_of(worlds, reach.project), reach) for reach in plan.projects]
