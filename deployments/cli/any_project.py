"""The world a verb works on: of the project it names, or of any, where the whole lake is concerned."""

from __future__ import annotations

from pathlib import Path

from labelloop.errors import InputError
from tasks.clients.settings import load_settings
from tasks.clients.specs import read_spec
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


def world_at(project: str) -> World:
    """Return the world of a project, named by its name or by the file of its spec."""
    if project.endswith((".yaml", ".yml")):
        return World(load_settings(), read_spec(Path(project)))
    return open_world(project)
