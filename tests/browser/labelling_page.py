"""Label Studio's labelling page as a person uses it: what to click, drag and type for each kind of question."""

from __future__ import annotations

import io
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Response, expect, sync_playwright

from deployments.preview import SETTLED
from tasks.clients.label_studio import LabelStudio

_ASKED = ".lsf-main-view__annotation"
WIDTH, HEIGHT, ALL_OF_IT = 1400, 900, 2000
COLOURS = 64  # of a picture: enough for an interface, a third of the bytes
LONG = 60_000  # milliseconds: the machine of a test run has more to do
expect.set_options(timeout=LONG)
_TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_BOX_OF_WORD = """(element, word) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const at = texts.currentNode.data.indexOf(word);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(texts.currentNode, at);
        range.setEnd(texts.currentNode, at + word.length);
        const box = range.getBoundingClientRect();
        return {x: box.left, right: box.right, middle: (box.top + box.bottom) / 2};
    }
}"""
Point = tuple[float, float]


@contextmanager
def a_browser() -> Iterator[Browser]:
    """Lend Debian's chromium, or chrome; a thread can have one at a time."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"]) as browser,
    ):
        yield browser


def log_in(browser: Browser, server: LabelStudio) -> BrowserContext:
    """Return a fresh profile of the browser in which a new annotator is logged in."""
    email, password = f"ann-{uuid.uuid4().hex[:8]}@labelloop.test", uuid.uuid4().hex
    server.annotator(email, password)
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(LONG)
    page = context.new_page()
    page.goto(f"{server.address}/user/login/")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "login" not in url, wait_until="commit")
    page.close()
    return context


class LabellingPage:
    """One task, open in the browser."""

    def __init__(self, page: Page, address: str, project: int, task: int) -> None:
        self.page = page
        page.goto(f"{address}/projects/{project}/data?task={task}", wait_until="commit")
        expect(self._submit).to_be_visible()
        page.wait_for_function(SETTLED)

    @property
    def _submit(self) -> Locator:
        return self.page.locator("button:has-text('Submit'):visible")

    def choose(self, *values: str) -> None:
        """Tick these choices."""
        for value in values:
            # By the input's name: the visible text also holds the hotkey.
            box = self.page.locator(f"label:has(input[name={json.dumps(value, ensure_ascii=False)}]):visible")
            box.click()
            expect(box.locator("input")).to_be_checked()

    def click_text(self, text: str) -> None:
        self._editor.get_by_text(text, exact=True).click()

    def click_picture(self, number: int, place: Point = (0.5, 0.5)) -> None:
        # By its place: Label Studio lays a canvas over the picture.
        self.page.mouse.click(*self._on(self._pictures.nth(number), place))

    def pick(self, *path: str) -> None:
        """Open the tree of a taxonomy and pick what this path leads to."""
        self._editor.locator(".ant-select-selector").click()
        *above, last = path
        for step in above:
            self._branch(step).locator(".ant-select-tree-switcher").click()
        self._branch(last).locator(".ant-select-tree-title").click()
        self._editor.locator("h3").first.click()  # elsewhere, which closes the tree
        expect(self._branch(last)).to_have_count(0)

    def _branch(self, title: str) -> Locator:
        return self.page.locator(".ant-select-tree-treenode:visible").filter(has_text=title)

    def label(self, value: str) -> None:
        """Choose the label that the next mark gets."""
        self._editor.locator(".lsf-label").filter(has_text=value).click()

    def mark_word(self, label: str, word: str) -> None:
        self.label(label)
        box = self._editor.locator(".lsf-richtext").evaluate(_BOX_OF_WORD, word)
        self._drag((box["x"] + 1, box["middle"]), (box["right"] - 1, box["middle"]))

    def relate(self, first: str, second: str) -> None:
        """Draw an arrow from the mark on one word to that on another."""
        self._editor.locator(".htx-highlight").filter(has_text=first).click()
        self.page.keyboard.press("Alt+r")
        self._editor.locator(".htx-highlight").filter(has_text=second).click()

    def draw(self, label: str, start: Point, end: Point) -> None:
        """Drag a box over the picture; the corners are shares of its width and height."""
        self.label(label)
        self._drag(self._on(self._pictures.first, start), self._on(self._pictures.first, end))

    def outline(self, label: str, *corners: Point) -> None:
        """Click the corners of a polygon, the first one again to close it."""
        self.point(label, *corners, corners[0])

    def point(self, label: str, *places: Point) -> None:
        """Click places of the picture."""
        self.label(label)
        for place in places:
            self.page.mouse.click(*self._on(self._pictures.first, place))
            self.page.evaluate(_TWO_FRAMES)

    def mark_stretch(self, label: str, surface: str, start: Point, end: Point) -> None:
        """Drag over what a selector finds, from one place to another, as shares of its width and height."""
        self.label(label)
        found = self._editor.locator(surface).first
        self._drag(self._on(found, start), self._on(found, end))

    def click_stretch(self, surface: str, place: Point) -> None:
        """Click what was marked there, so that it can be asked about."""
        self.page.mouse.click(*self._on(self._editor.locator(surface).first, place))

    def let_go(self) -> None:
        """Select no mark; the next click would do no more than that."""
        self.page.keyboard.press("Escape")

    def shows(self, text: str) -> None:
        """Wait until the page shows this text, word for word."""
        expect(self._editor.get_by_text(text).first).to_be_attached()

    def look_up(self, note: str) -> None:
        """Unfold the notes and find this one."""
        self._editor.get_by_text("Notes", exact=True).click()
        expect(self._editor.get_by_text(note)).to_be_visible()

    def shows_lines(self, *lines: str) -> None:
        """Wait until the page shows these lines below each other, with the blanks they begin with."""
        there = "lines => document.body.innerText.includes(lines)"
        self.page.wait_for_function(there, arg="\n".join(lines))

    @property
    def _editor(self) -> Locator:
        return self.page.locator("#label-studio-dm")

    @property
    def _pictures(self) -> Locator:
        return self._editor.locator("img[src^='blob:']:visible")

    @staticmethod
    def _on(surface: Locator, place: Point) -> Point:
        box = surface.bounding_box()
        return box["x"] + place[0] * box["width"], box["y"] + place[1] * box["height"]

    def _drag(self, start: Point, end: Point) -> None:
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        mouse.move(*end, steps=8)
        self.page.evaluate(_TWO_FRAMES)
        mouse.up()
        self.page.evaluate(_TWO_FRAMES)  # or a click that follows would meet what was drawn before

    def rate(self, stars: int) -> None:
        self.page.locator(".ant-rate-star").nth(stars - 1).click()

    def type(self, question: str, text: str) -> None:
        self.page.fill(f'textarea[name="{question}"]', text)

    def drag_into(self, bucket: str, item: str) -> None:
        """Drag an item of a list into a bucket, to its end."""
        source = self.page.locator(f'[data-ranker-id="{item}"]')
        target = self.page.locator(f'[data-rbd-droppable-id="{bucket}"]')
        source.scroll_into_view_if_needed()
        here, there = source.bounding_box(), target.bounding_box()
        mouse, start = self.page.mouse, (here["x"] + 40, here["y"] + 12)
        mouse.move(*start)
        mouse.down()
        mouse.move(start[0] + 8, start[1] + 8, steps=4)
        mouse.move(there["x"] + 60, there["y"] + there["height"] - 30, steps=12)
        self.page.evaluate(_TWO_FRAMES)
        mouse.move(there["x"] + 62, there["y"] + there["height"] - 28)
        self.page.evaluate(_TWO_FRAMES)
        mouse.up()
        expect(target.locator(source)).to_be_visible()

    def submit(self) -> None:
        """Hand the answer in, as Label Studio takes it."""
        with self.page.expect_response(_hands_in) as sent:
            self._submit.click()
        assert sent.value.status == 201

    def photograph(self, file: Path) -> None:
        """Write a small picture (PNG of few colours) of what is asked and answered."""
        self.page.set_viewport_size({"width": WIDTH, "height": ALL_OF_IT})  # without scrolling
        self.page.wait_for_function(SETTLED)
        taken = Image.open(io.BytesIO(self._editor.locator(_ASKED).first.screenshot()))
        taken.convert("RGB").quantize(COLOURS).save(file, optimize=True)
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})

    def cannot_submit(self) -> bool:
        return self._submit.is_disabled()

    def refuses_to_submit(self) -> str:
        """Try to hand the answer in, and return what the page says in place of sending it."""
        self._submit.click()
        warning = self.page.locator(".ant-modal-confirm-content:visible")
        expect(warning).to_be_visible()
        said = warning.inner_text()
        self.page.keyboard.press("Escape")
        expect(warning).to_have_count(0)
        return said


def _hands_in(response: Response) -> bool:
    return "/annotations" in response.url and response.request.method == "POST"
