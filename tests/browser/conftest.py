"""One browser for all tests of a run, an annotator logged in to it, and the way from a template to its page."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from tasks.clients.label_studio import connect_label_studio
from tests.browser.labelling_page import a_browser, log_in
from tests.browser.opened import open_sample


@pytest.fixture(scope="session")
def browser():
    """One browser for the whole run."""
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def somebody(browser, label_studio, media_bucket):
    """A profile of the browser with an annotator logged in."""
    return log_in(browser, connect_label_studio(label_studio))


@pytest.fixture(scope="session")
def page(somebody):
    """A page of the annotator's, kept: Label Studio starts in it in two thirds of the time that a new one takes."""
    return somebody.new_page()


@pytest.fixture
def opened(page, tmp_path, label_studio):
    """Open the sample of a template, or another spec and other objects: its world, and the page that shows it."""
    return partial(open_sample, page, tmp_path, label_studio)


@pytest.fixture
def pictures(tmp_path):
    """The folder that LABELLOOP_SCREENSHOTS names for pictures of pages, or one that is thrown away."""
    return Path(os.environ.get("LABELLOOP_SCREENSHOTS", tmp_path))
