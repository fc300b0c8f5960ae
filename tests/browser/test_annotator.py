"""A person at work in a real browser: what labelloop pushed is shown, answered and arrives in the lake."""

from __future__ import annotations

import io
import uuid

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.s3 import connect
from tests.builders.annotating import collect, push, states, the_project
from tests.builders.chosen_round import choose
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import make_world

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("media_bucket")]

SINGLE = SPEC.replace("share: 0.2", "share: 0.0")
BLIND = f"{SINGLE}\npredictions: {{show: true, blind_share: 0.5}}\n"  # of units 0 and 1 the latter
TEXT = SINGLE.replace("interface:", "interface:\n  media: text")


@pytest.fixture
def in_the_queue(somebody):
    """The page of somebody who labels all tasks in the order of the queue."""
    page = somebody.new_page()
    page.add_init_script("localStorage.setItem('dm:labelstream:mode', 'all')")
    yield page
    page.close()


def round_on_the_server(tmp_path, settings, spec: str, media: dict[str, bytes]):
    """A round of one unit per object, pushed: the objects are in the real bucket, the tasks on the real server."""
    world = make_world(tmp_path, spec, new_id=lambda: uuid.uuid4().hex)
    world.settings, world.label_studio = settings, connect_label_studio(settings)
    client = connect(settings)
    choose(world, range(len(media)), number=1)
    references = []
    for number, (key, content) in enumerate(media.items()):
        client.put_object(Bucket="media", Key=key, Body=content)
        references.append({"ref_id": hex_id(number), "bucket": "media", "key": key, "media_version": "v1"})
    write(world, "references", references)
    push(world)
    return world


def png(width: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, 48), "red").save(buffer, "PNG")
    return buffer.getvalue()


def open_stream(page: Page, address: str, project: int) -> None:
    """Open the label stream and close the guidelines that cover it."""
    page.goto(f"{address}/projects/{project}/data?labeling=1")
    expect(page.get_by_text("Choose the digit the writer meant.").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".ant-modal-wrap:visible")).to_have_count(0)


def submit(page: Page, choice: str) -> None:
    # By the input's name: the visible text also holds the hotkey, and "0 [1]" contains "1".
    page.locator(f'label:has(input[name="{choice}"])').click()
    hand_in(page, "button:has-text('Submit'):visible")


def skip(page: Page) -> None:
    hand_in(page, "button[aria-label='skip-task']")


def hand_in(page: Page, button: str) -> None:
    with page.expect_response(lambda r: "/annotations" in r.url and r.request.method == "POST") as sent:
        page.click(button)
    assert sent.value.status == 201


def shows_picture(page: Page, width: int) -> None:
    """Wait until the picture of this width is on the screen."""
    there = "width => [...document.images].some(i => i.src.startsWith('blob:') && i.naturalWidth === width)"
    page.wait_for_function(there, arg=width)


def test_an_annotator_sees_images_answers_or_skips_them_and_both_arrive_in_the_lake(
    tmp_path, label_studio, in_the_queue
):
    media = {"digits/0/a b#ü%20.png": png(64), "digits/1/b.png": png(72), "digits/2/c.png": png(80)}
    world, page = round_on_the_server(tmp_path, label_studio, SINGLE, media), in_the_queue
    open_stream(page, world.label_studio.address, the_project(world))
    shows_picture(page, 64)
    submit(page, "1")
    shows_picture(page, 72)
    skip(page)
    shows_picture(page, 80)
    submit(page, "2")
    expect(page.get_by_text("No More Tasks Left in Queue").first).to_be_visible()
    assert collect(world)["annotations"] == 3
    rows = world.table("annotations").read().sort_by("unit_id").to_pylist()
    assert [(row["unit_id"], row["choices"]) for row in rows] == [
        (hex_id(0), ["1"]),
        (hex_id(1), None),
        (hex_id(2), ["2"]),
    ]
    assert [row["state"] for row in rows] == ["active", "cancelled", "active"]
    assert all(row["lead_time"] > 0 for row in rows)
    assert states(world) == ["answered", "open", "answered"]


def test_a_text_is_shown_as_written_and_runs_nothing(tmp_path, label_studio, in_the_queue):
    hostile = "A seven? <script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"
    world = round_on_the_server(tmp_path, label_studio, TEXT, {"digits/0/a.txt": hostile.encode()})
    page = in_the_queue
    open_stream(page, world.label_studio.address, the_project(world))
    expect(page.get_by_text("<script>document.title='run'</script>")).to_be_visible()
    assert page.title() != "run"
    submit(page, "1")
    assert collect(world)["annotations"] == 1


def test_a_blind_task_shows_in_the_queue_nothing_of_what_the_model_said(tmp_path, label_studio, in_the_queue):
    world = round_on_the_server(tmp_path, label_studio, BLIND, {"digits/0/a.png": png(64), "digits/1/b.png": png(72)})
    told = {"model_version": "m1", "media_version": "v1", "predicted": "1", "classes": ["1", "0"]}
    sure = [
        told | {"ref_id": hex_id(n), "confidence": c, "probabilities": [c, 1 - c]} for n, c in ((0, 0.61), (1, 0.73))
    ]
    write(world, "predictions", sure)
    write(world, "models", [{"model_version": "m1", "promoted": True, "trained_on_erased": False}])
    assert push(world)["rescored"] == 2
    page, ticked = in_the_queue, in_the_queue.locator("label input:checked")
    open_stream(page, world.label_studio.address, the_project(world))
    shows_picture(page, 64)
    expect(ticked).to_have_attribute("name", "1")
    hand_in(page, "button:has-text('Submit'):visible")
    shows_picture(page, 72)
    expect(ticked).to_have_count(0)
    shown = page.inner_text("body")
    assert ("m1" in shown, "73.0" in shown) == (False, False)  # as it would be shown: m1, 73.00%
    submit(page, "2")
    assert collect(world)["annotations"] == 2
    rows = world.table("annotations").read().sort_by("unit_id").to_pylist()
    assert [(row["prediction_shown"], row["choices"]) for row in rows] == [(True, ["1"]), (False, ["2"])]
