"""The world of a project for verbs that concern the whole lake, where any project's spec opens the door."""

from __future__ import annotations

from labelloop.errors import InputError
from tasks.clients.settings import load_settings
from tasks.clients.world import World, open_world


def world_of(project: str | None) -> World:
    """Return the world of the project; without a name, that of the only one there is.

    Raises:
        InputError: there is none, or more than one, so that it has to be named.
    """
    if project is None:
        names = sorted(path.stem for path in load_settings().projects_dir.glob("*.yaml"))
        if len(names) != 1:
            raise InputError("name the labelling project", remedy=f"one of {', '.join(names) or 'none yet'}")
        project = names[0]
    return open_world(project)
