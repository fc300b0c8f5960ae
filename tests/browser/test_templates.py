"""Each template in a real browser: somebody answers its sample, and the typed answer arrives in the lake."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from deployments.cli.templates import fill
from labelloop.interface import COLUMNS
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.world import World
from tests.browser.labelling_page import LabellingPage, logged_in
from tests.builders.annotating import collect, push, the_project
from tests.builders.chosen_template import choose_sample
from tests.builders.interface_samples import NAME
from tests.builders.rows import hex_id
from tests.fakes.world import make_world

pytestmark = pytest.mark.browser

PASSWORD = "a long enough Secret 7"


class Answered(NamedTuple):
    """What somebody does on the page, and by control what arrives."""

    act: Callable[[LabellingPage], None]
    arrives: dict[str, Any]


def text_classification(page: LabellingPage) -> None:
    page.choose("negative")


def text_multi_label(page: LabellingPage) -> None:
    page.choose("billing", "account")


def image_classification(page: LabellingPage) -> None:
    page.choose("dog", "poor")


def pairwise(page: LabellingPage) -> None:
    page.click_text("It is not salty.")
    page.choose("slightly", "one is better")
    page.type("rationale", "It is <b>short</b> & wrong.")


def triage(page: LabellingPage) -> None:
    page.drag_into("act now", hex_id(2))
    page.drag_into("no action", hex_id(1))
    page.drag_into("act now", hex_id(0))
    page.type("rationale", "smoke")
    page.choose("everything is sorted")


def ranked(**buckets: list[int]) -> list[dict[str, Any]]:
    return [
        {"item": hex_id(item), "rank": rank, "bucket": bucket.replace("_", " ")}
        for bucket, items in buckets.items()
        for rank, item in enumerate(items)
    ]


ANSWERED = {
    "image-classification": Answered(image_classification, {"content": ["dog"], "quality": ["poor"]}),
    "pairwise": Answered(
        pairwise,
        {
            "preference": ["right"],
            "strength": ["slightly"],
            "rationale": "It is <b>short</b> & wrong.",
            "preference_confirmed": ["one is better"],
        },
    ),
    "text-classification": Answered(text_classification, {"sentiment": ["negative"]}),
    "text-multi-label": Answered(text_multi_label, {"topics": ["billing", "account"]}),
    "triage": Answered(
        triage,
        {
            "urgency": ranked(act_now=[2, 0], no_action=[1]),
            "rationale": "smoke",
            "urgency_confirmed": ["everything is sorted"],
        },
    ),
}


@pytest.fixture(scope="module")
def browser(label_studio, media_bucket) -> Iterator[Any]:
    """One browser for all templates, with an annotator logged in."""
    server, email = connect_label_studio(label_studio), f"ann-{uuid.uuid4().hex[:8]}@labelloop.test"
    server.annotator(email, PASSWORD)
    with logged_in(server.address, email, PASSWORD) as context:
        yield context


@pytest.fixture
def opened(tmp_path, label_studio, browser):
    """Open the sample of a template: its world, and the page that shows it."""
    page = browser.new_page()

    def open_template(template: str) -> tuple[World, LabellingPage]:
        world = make_world(tmp_path, fill(template, NAME), new_id=lambda: uuid.uuid4().hex)
        world.settings, world.label_studio = label_studio, connect_label_studio(label_studio)
        world.media = World(label_studio, world.spec).media
        choose_sample(world, template)
        push(world)
        project = the_project(world)
        (task,) = world.label_studio.task_ids(project)
        return world, LabellingPage(page, world.label_studio.address, project, task)

    yield open_template
    page.close()


def arrived(world: World) -> dict[str, Any]:
    """By control what the lake holds of the one annotation."""
    collect(world)
    rows = world.table("annotations").read().to_pylist()
    return {row["control"]: typed(row) for row in rows}


def typed(row: dict[str, Any]) -> Any:
    (value,) = [row[column] for column in COLUMNS if row[column] is not None]
    return value


@pytest.mark.parametrize("template", ANSWERED)
def test_what_somebody_answers_arrives(template, opened):
    world, page = opened(template)
    ANSWERED[template].act(page)
    page.submit()
    assert arrived(world) == ANSWERED[template].arrives
