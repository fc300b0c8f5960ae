"""A look at an interface before anybody works with it: one task of the spec's own media, in a real browser.

The task lives in a project of the local stack that is thrown away afterwards; only there a password is known.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from deployments.local.stack import Stack
from labelloop.errors import ConfigurationError, InputError
from labelloop.interface import build
from labelloop.media_type import could_be, type_by_ending
from labelloop.spec import ProjectSpec
from labelloop.task_data import task_data
from tasks.clients.label_studio_interface import shown_once
from tasks.clients.settings import Settings
from tasks.clients.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MEMBERS: Final = {"single": 1, "pair": 2, "list": 5}
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_WAIT: Final = 60_000  # milliseconds, until the page is there
_WIDTH, _HEIGHT, _HIGHEST = 1400, 1000, 4000  # of the picture
# Pictures grow with the window and want more of it.
_STEPS: Final = 8
_HIDDEN: Final = """() => {
    const asked = document.querySelector('.lsf-main-content');
    return asked.scrollHeight - asked.clientHeight;
}"""
# Nothing is loading, media have their size, and nothing has moved for some frames: Label Studio draws a task twice.
SETTLED: Final = """() => new Promise(settled => {
    const loading = '.lsf-label-view_loading, .ant-spin-spinning, .lsf-image-progress, .lsf-video-canvas__loading';
    const is_there = media => media.tagName === 'IMG' ? media.complete && media.width !== 1 : media.readyState === 4;
    let before = '', frames = 0;
    const look = () => {
        const shown = [...document.querySelectorAll('.lsf-main-view__annotation *')];
        const media = shown.filter(element => ['IMG', 'AUDIO', 'VIDEO'].includes(element.tagName));
        const places = JSON.stringify(shown.map(element => element.getBoundingClientRect()));
        const is_ready = shown.length && !document.querySelector(loading) && media.every(is_there);
        frames = is_ready && places === before ? frames + 1 : 0;
        before = places;
        frames < 10 ? requestAnimationFrame(look) : settled(true);
    };
    look();
})"""


def preview(spec: ProjectSpec, settings: Settings, stack: Stack) -> bytes:
    """Return a picture (PNG) of the page that annotators would see.

    Raises:
        ConfigurationError: the settings are not those of the local stack, or there is no browser to drive.
        InputError: there is no media to show, or it cannot be shown; the message says why.
    """
    if settings.label_studio_url != stack.variables["LABELLOOP_LABEL_STUDIO_URL"]:
        raise ConfigurationError(
            "a preview is drawn by the local stack, but the settings name another Label Studio",
            remedy="`labelloop up`, and take its variables",
        )
    data = first_unit(World(settings, spec))
    with shown_once(settings, build(spec.interface), spec.media.bucket, data) as address:
        return _photograph(address, stack)


def first_unit(world: World) -> dict[str, Any]:
    """Return the task data of the first objects that are media of the spec.

    Raises:
        InputError: there is none, or it cannot be shown; the message says why.
    """
    spec = world.spec
    batches = world.media.list(spec.media.bucket, spec.media.prefix)
    keys = (key for batch in batches for key in batch.column("key").to_pylist())
    fitting = (key for key in keys if could_be(spec.interface.media, type_by_ending(key), spec.media.types))
    chosen = list(islice(fitting, _MEMBERS[spec.interface.layout]))
    if not chosen:
        raise InputError("there is no media below media.prefix to show", remedy="upload an object")
    members = [{"ref_id": str(n), "bucket": spec.media.bucket, "key": key} for n, key in enumerate(chosen)]
    contents = {row["ref_id"]: world.media.read(spec.media.bucket, row["key"]) for row in members}
    data = task_data(spec, {"unit_id": "preview", "members": members}, contents=contents)
    if isinstance(data, str):
        raise InputError(data)
    return data


def _photograph(address: str, stack: Stack) -> bytes:
    """Log in as the stack's own user, open the page and return it as it looks once it is drawn."""
    try:
        from playwright.sync_api import TimeoutError as NotInTime
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise ConfigurationError("a preview needs playwright", remedy="`make setup` installs it") from None
    browser_path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser_path is None:
        raise ConfigurationError("a preview needs chromium", remedy="install it (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
        page.goto(address, timeout=_WAIT)
        page.fill("#email", stack.credentials.label_studio_email)
        page.fill("#password", stack.credentials.label_studio_password)
        page.click("button[type=submit]")
        page.wait_for_selector("button:has-text('Submit'):visible", timeout=_WAIT)
        with suppress(NotInTime):  # media that cannot be shown never comes; the picture says so
            page.wait_for_function(SETTLED, timeout=_WAIT)
            _show_all_of_it(page)
        picture = page.screenshot()
        browser.close()
        return picture


def _show_all_of_it(page: Page) -> None:
    """Make the window as high as what is asked."""
    height = _HEIGHT
    for _ in range(_STEPS):
        hidden = page.evaluate(_HIDDEN)
        if not hidden:
            return
        height = min(height + hidden, _HIGHEST)
        page.set_viewport_size({"width": _WIDTH, "height": height})
        page.wait_for_function(SETTLED, timeout=_WAIT)
