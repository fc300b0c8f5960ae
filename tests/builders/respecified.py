"""Another spec for a project that is at work, and what it would change."""

from __future__ import annotations

from typing import Any

from labelloop.spec import ProjectSpec
from tasks.clients.world import World
from tasks.survey_review import survey_with_review


def changes(world: World, *, full: bool = False) -> dict[str, int]:
    """What would change, with how many of it."""
    return {row["change"]: row["count"] for row in survey_with_review(world, full=full).rows()}


def respecified(world: World, **sections: dict[str, Any]) -> World:
    """Give the project another spec: fields of its sections replaced."""
    document = world.spec.model_dump()
    for section, fields in sections.items():
        document[section] = document[section] | fields
    world.spec = ProjectSpec.model_validate(document)
    return world


def asking(world: World, *labels: dict[str, Any] | str, **question: Any) -> World:
    """Ask one question, `digit` unless named, with these labels."""
    given = [{"value": label} if isinstance(label, str) else label for label in labels]
    asked = {"name": "digit", "prompt": "Which digit is it?", "labels": given} | question
    return respecified(world, interface={"questions": [asked]}, model={"source": "none"})
