"""Survey of a project with the one in which experts rule on it: both ask the same, so an interface concerns both."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from labelloop.changes import Changes
from labelloop.review_project import with_answers_shown
from tasks.clients.world import World
from tasks.labelling_project import known_project
from tasks.survey import survey
from tasks.survey_project import setting_changes


def survey_with_review(world: World, *, full: bool = False) -> Changes:
    """Return all that would have to change in Label Studio, and what another interface changes where experts rule.

    What else the reviewing project lacks is the business of the stage that puts cases before experts.

    Args:
        world: the project's world.
        full: read every task, not only what changed since the last push.

    Raises:
        WrongServerError: the server that answers does not hold the projects.
    """
    changes, ruled = survey(world, full=full), _interface_changes(world)
    if ruled is None:
        return changes
    return replace(changes, reviewing=ruled, lost=Counter(changes.lost) + Counter(ruled.lost))


def reviewing_world(world: World) -> World:
    """Return the world of the reviewing project with the interface it has there."""
    reviewing = world.reviewing()
    reviewing.spec = with_answers_shown(reviewing.spec)
    return reviewing


def _interface_changes(world: World) -> Changes | None:
    home = known_project(world.reviewing())
    if home is None:
        return None
    reviewing = reviewing_world(world)
    settings = [one for one in setting_changes(reviewing.spec, home) if one.name == "label_config" and not one.kept]
    if not settings:
        return None
    found = survey(reviewing)
    return Changes(found.version, found.surveyed, settings=tuple(settings), renamed=found.renamed, lost=found.lost)
