"""The way from a template to the page that shows its sample, on whichever server the settings name."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path

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
    page: Page,
    folder: Path,
    settings: Settings,
    template: str,
    spec: str | None = None,
    objects: Mapping[str, bytes] | None = None,
) -> tuple[World, LabellingPage]:
    """Push the sample of a template, or another spec and other objects, and return its world and its page."""
    world = make_world(folder, spec or fill(template, NAME), new_id=lambda: uuid.uuid4().hex, lake=MemoryLake())
    world.settings, world.label_studio = settings, connect_label_studio(settings)
    world.media = World(settings, world.spec).media
    choose_sample(world, template, objects)
    push(world)
    project = the_project(world)
    (task,) = world.label_studio.task_ids(project)
    return world, LabellingPage(page, world.label_studio.address, project, task)
