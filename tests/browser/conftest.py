"""One browser for all tests that open a sample, and the way from a template to its page."""

from __future__ import annotations

import uuid

import pytest

from deployments.cli.templates import fill
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.world import World
from tests.browser.labelling_page import LabellingPage, somebody_logged_in
from tests.builders.annotating import push, the_project
from tests.builders.chosen_template import choose_sample
from tests.builders.interface_samples import NAME
from tests.fakes.lake import MemoryLake
from tests.fakes.world import make_world


@pytest.fixture(scope="module")
def browser(label_studio, media_bucket):
    """One browser for a module, with an annotator logged in."""
    with somebody_logged_in(connect_label_studio(label_studio)) as context:
        yield context


@pytest.fixture
def opened(tmp_path, label_studio, browser):
    """Open the sample of a template, or another spec and other objects: its world, and the page that shows it."""
    page = browser.new_page()

    def open_sample(template, spec=None, objects=None):
        world = make_world(tmp_path, spec or fill(template, NAME), new_id=lambda: uuid.uuid4().hex, lake=MemoryLake())
        world.settings, world.label_studio = label_studio, connect_label_studio(label_studio)
        world.media = World(label_studio, world.spec).media
        choose_sample(world, template, objects)
        push(world)
        project = the_project(world)
        (task,) = world.label_studio.task_ids(project)
        return world, LabellingPage(page, world.label_studio.address, project, task)

    yield open_sample
    page.close()
