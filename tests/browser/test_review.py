"""The page on which an expert rules: what annotators said, as text and by pseudonym, above what they were asked."""

from __future__ import annotations

import uuid

import pytest
import yaml
from playwright.sync_api import expect

from deployments.cli.templates import fill
from tasks.consensus import resolve_labels
from tasks.review import review_disputes
from tests.browser.answered import FIRST, SECOND, THIRD
from tests.browser.opened import open_task, push_sample
from tests.builders.annotating import collect, the_project
from tests.builders.interface_samples import NAME
from tests.fakes.world import under_lease

pytestmark = pytest.mark.browser

WHY = 'Smoke over the <b>roof</b>. <meta http-equiv="refresh" content="0;url=http://foreign.test/">'


def reviewed_spec():
    """Triage by two annotators, with an expert for what they dispute."""
    spec = yaml.safe_load(fill("triage", NAME))
    spec["annotators"] = spec.get("annotators", {}) | {"count": 2, "experts": 1}
    spec["overlap"] = {"share": 1.0, "annotators": 2, "maximum": 2}
    return yaml.safe_dump(spec)


def sorted_as(why, **buckets):
    """The result of a triage: which items are in which bucket, and the reason for it."""
    ranker = {bucket.replace("_", " ").strip() or "_": items for bucket, items in buckets.items()}
    said = {
        "urgency": ("ranker", {"ranker": ranker}),
        "rationale": ("textarea", {"text": [why]}),
        "urgency_confirmed": ("choices", {"choices": ["everything is sorted"]}),
    }
    return [{"from_name": name, "to_name": "items", "type": kind, "value": v} for name, (kind, v) in said.items()]


def annotate(world, result):
    """Answer the one task as somebody new."""
    somebody = world.label_studio.annotator(f"ann-{uuid.uuid4().hex[:8]}@labelloop.test", uuid.uuid4().hex)
    task = somebody.next_task(the_project(world))
    somebody.submit(task.task_id, result, lead_time=2.0, key=str(uuid.uuid4()))


def test_an_expert_sees_who_said_what_in_words_and_as_text(page, tmp_path, label_studio, pictures):
    world = push_sample(tmp_path, label_studio, "triage", reviewed_spec())
    annotate(world, sorted_as(WHY, act_now=[FIRST, THIRD], no_action=[SECOND]))
    annotate(world, sorted_as("nothing to see", act_now=[SECOND], no_action=[FIRST, THIRD]))
    collect(world)
    under_lease(world, "consensus", resolve_labels)
    under_lease(world, "review", review_disputes)
    case = open_task(page, world, world.hot.get(f"label-studio/{NAME}-review.json").value["ls_project"])
    before = page.url
    pseudonyms = sorted(row["annotator"] for row in world.table("annotators").read().to_pylist())
    assert len(pseudonyms) == 2
    for row in (
        *(f"urgency · {who}" for who in pseudonyms),
        "act now: Item 1, Item 3; no action: Item 2",
        "act now: Item 2; no action: Item 1, Item 3",
        WHY,
    ):
        expect(page.locator("td").get_by_text(row, exact=True)).to_be_visible()
    case.photograph(pictures / "review.png")
    assert (page.url, page.locator("td b").count()) == (before, 0)
