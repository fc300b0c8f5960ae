"""Units of every layout on their way into Label Studio: what is shown of pairs, lists and records."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deployments.cli.templates import fill
from labelloop.task_data import task_data
from tasks.consensus import resolve_labels
from tests.builders.annotating import answer, collect, push, the_project
from tests.builders.chosen_template import choose_sample
from tests.builders.interface_samples import NAME, sample_contents, sample_objects, sample_unit
from tests.builders.rows import hex_id, write
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world, under_lease

REFERENCE = {"bucket": "media", "media_version": "v1", "state": "active"}
OF_EACH_KIND = ["image-comparison", "triage", "near-duplicates", "pairwise"]


def chosen(tmp_path, template: str):
    """A world in which one unit of the template is chosen, of objects that are in the bucket."""
    world = make_world(tmp_path, fill(template, NAME), label_studio=MemoryLabelStudio())
    choose_sample(world, template)
    return world


def the_task(world):
    (number,) = world.label_studio.all_tasks
    (task,) = world.label_studio.tasks(the_project(world), [number])
    return number, task


@pytest.mark.parametrize("template", OF_EACH_KIND)
def test_every_member_of_a_unit_is_shown(tmp_path, template):
    world = chosen(tmp_path, template)
    assert push(world)["created"] == 1
    number, _ = the_task(world)
    unit = sample_unit(template) | {"unit_id": hex_id(0)}
    wanted = task_data(world.spec, unit, contents=sample_contents(template))
    assert world.label_studio.all_tasks[number]["data"] == wanted
    assert push(world)["created"] == 0


@pytest.mark.parametrize("template", ["image-comparison", "triage"])
def test_a_member_that_was_moved_is_shown_where_it_lies_now(tmp_path, template):
    world = chosen(tmp_path, template)
    push(world)
    before = the_task(world)[1].media
    assert set(before) == {f"s3://media/{key}" for key in sample_objects(template)}
    moved = {"ref_id": hex_id(1), "key": f"{NAME}/elsewhere.png", "changed_at": world.now() + timedelta(days=1)}
    write(world, "references", [REFERENCE | moved])
    assert push(world)["readdressed"] == 1
    assert the_task(world)[1].media == tuple(
        "s3://media/digits/elsewhere.png" if "/1/" in address else address for address in before
    )


def sorted_and_confirmed(how: str) -> list[dict]:
    buckets = {"act now": [hex_id(0)], "look closer": [], "no action": [hex_id(1), hex_id(2)]}
    return [
        {"from_name": "urgency", "to_name": "items", "type": "ranker", "value": {"ranker": buckets}},
        {"from_name": "rationale", "to_name": "items", "type": "textarea", "value": {"text": ["smoke"]}},
        {"from_name": "urgency_confirmed", "to_name": "items", "type": "choices", "value": {"choices": [how]}},
    ]


def test_how_somebody_confirmed_is_kept_and_is_no_opinion_on_the_unit(tmp_path):
    world = chosen(tmp_path, "triage")
    push(world)
    for name, how in (("ann", "everything is sorted"), ("bob", "what is left fits nowhere")):
        answer(world, 0, name, result=sorted_and_confirmed(how))
    collect(world)
    rows = world.table("annotations").read().to_pylist()
    assert {row["choices"][0] for row in rows if row["control"] == "urgency_confirmed"} == {
        "everything is sorted",
        "what is left fits nowhere",
    }
    under_lease(world, "consensus", resolve_labels)
    assert {row["control"] for row in world.table("labels").read().to_pylist()} == {"urgency", "rationale"}


def test_nothing_to_mark_is_an_answer_and_not_a_missing_one(tmp_path):
    world = chosen(tmp_path, "keypoints")
    push(world)
    nothing = {"choices": ["there is nothing to mark"]}
    confirmed = {"from_name": "landmarks_confirmed", "to_name": "image", "type": "choices", "value": nothing}
    answer(world, 0, "ann", result=[confirmed])
    broken = {"from_name": "landmarks", "to_name": "image", "type": "keypointlabels", "value": {"x": "left"}}
    answer(world, 0, "bob", result=[confirmed, broken])
    collect(world)
    rows = world.table("annotations").read().to_pylist()
    assert [row["regions"] for row in rows if row["control"] == "landmarks"] == [[]]


def test_a_record_that_holds_something_else_waits_in_quarantine(tmp_path):
    world = chosen(tmp_path, "pairwise")
    (key,) = sample_objects("pairwise")
    world.media.write("media", key, b'{"prompt": "?"}', content_type="application/json")
    assert push(world)["refused"] == 1
    (row,) = world.table("quarantine").read().to_pylist()
    assert "the record has no answer_a" in row["rule"]
