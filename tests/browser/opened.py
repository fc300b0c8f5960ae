"""The way from a template to the page that shows its sample, on whichever server the settings name."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from deployments.cli.templates import fill
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.settings import Settings
from tasks.clients.world import World
from tests.browser.labelling_page import LabellingPage
from tests.builders.annotating import push, the_project
from tests.builders.chosen_template import choose_sample
from tests.builders.interface_samples import NAME
from tests.fakes.lake import MemoryLake
from tests.fakes.world import make_world


def open_sample(
    page: Page, folder: Path, settings: Settings, template: str, *given: Any
) -> tuple[World, LabellingPage]:
    """Push the sample of a template, as `push_sample` does, and return its world and its page."""
    world = push_sample(folder, settings, template, *given)
    return world, open_task(page, world, the_project(world))


def push_sample(
    folder: Path,
    settings: Settings,
    template: str,
    spec: str | None = None,
    objects: Mapping[str, bytes] | None = None,
) -> World:
    """Return the world of a template's sample, or of another spec and other objects, as it is once pushed."""
    world = make_world(folder, spec or fill(template, NAME), new_id=lambda: uuid.uuid4().hex, lake=MemoryLake())
    world.settings, world.label_studio = settings, connect_label_studio(settings)
    world.media = World(settings, world.spec).media
    choose_sample(world, template, objects)
    push(world)
    return world


def open_task(page: Page, world: World, ls_project: int) -> LabellingPage:
    """Open the one task of a project."""
    (task,) = world.label_studio.task_ids(ls_project)
    return LabellingPage(page, world.label_studio.address, ls_project, task)
