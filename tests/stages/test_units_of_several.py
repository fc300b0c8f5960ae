"""Pairs and lists through the loop: chosen, shown, answered, collected as what was asked."""

from __future__ import annotations

import re

import pytest

from tasks.clients.datasets import latest, read_dataset
from tasks.clients.rounds import current_round
from tasks.consensus import resolve_labels
from tests.builders.annotating import collect, push
from tests.builders.digits import SPEC
from tests.builders.labelled_world import publish
from tests.builders.rows import hex_id, write
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world, under_lease
from tests.stages.test_sample import run as sample

BATCH = "batch_size: 6, audit_rate: 0.3, explore_share: 0.1, seed: 7"
PAIRS = (
    "layout: pair",
    '{name: better, type: pairwise, prompt: "Which is clearer?"}',
    "{kind: pair, comparisons: 2}",
)
LISTS = (
    "layout: list",
    '{name: order, type: ranking, prompt: "Clearest first."}',
    "{kind: list, size: 4, shared: 1}",
)

TRIAGES = (LISTS[0], LISTS[1].replace("}", ", labels: [{value: keep}, {value: drop}]}"), LISTS[2])


def world_of(tmp_path, layout: str, question: str, unit: str, n: int = 40):
    """Return a world of n images that a model has spoken of, asked about several at a time."""
    text = re.sub(r"(?s)interface:.*(?=guidelines:)", f"interface:\n  {layout}\n  questions: [{question}]\n", SPEC)
    text = re.sub(r"(?m)^sampling:.*$", f"sampling: {{strategy: margin, {BATCH}, unit: {unit}}}", text)
    text = text.replace("overlap: {share: 0.2", "overlap: {share: 0.0")  # one answer each
    text = text.replace("source: trainer", "source: parquet, uri: 's3://media/said.parquet'")
    world = make_world(tmp_path, text, label_studio=MemoryLabelStudio())
    media = {"bucket": "media", "media_version": "v1", "state": "active"}
    write(world, "references", [media | {"ref_id": hex_id(i), "key": f"digits/{i}/a.png"} for i in range(n)])
    told = {"model_version": "m", "media_version": "v1", "predicted": "1", "classes": ["0", "1"]}
    rows = [told | {"ref_id": hex_id(i), "probabilities": [i / 99, 1 - i / 99], "confidence": 0.6} for i in range(n)]
    write(world, "predictions", rows)
    return world


def units(world) -> dict[str, dict]:
    return {row["unit_id"]: row for row in world.table("units").read().to_pylist()}


def shown(world) -> dict[str, dict]:
    """Data of each task on the server, by unit."""
    return {task["data"]["unit"]: task["data"] for task in world.label_studio.all_tasks.values()}


def confirmed(control: str, field: str, value: str) -> dict:
    given = {"from_name": f"{control}_confirmed", "to_name": field, "type": "choices"}
    return given | {"value": {"choices": [value]}}


def answer_all(world, result) -> None:
    """Let one person answer every task with what `result` makes of its data."""
    person = world.label_studio.annotator("ann@labelloop.test", "x")
    for number, task in list(world.label_studio.all_tasks.items()):
        person.submit(number, result(task["data"]), lead_time=2.0, key=str(number))


def answers(world, control: str) -> dict[str, dict]:
    rows = world.table("annotations").read().to_pylist()
    return {row["unit_id"]: row for row in rows if row["control"] == control}


@pytest.mark.parametrize("several", [PAIRS, LISTS], ids=["pairs", "lists"])
def test_a_round_of_several_references_is_asked_answered_and_closed(tmp_path, several):
    world = world_of(tmp_path, *several)
    chosen = sample(world).counts["chosen"]
    assert push(world)["created"] == chosen == len(shown(world)) > 4
    kinds = {row["kind"] for row in units(world).values()}
    assert kinds == {world.spec.sampling.unit.kind}
    assert {row["purpose"] for row in units(world).values()} == {"label", "audit"}


def test_of_a_pair_the_side_that_was_clicked_names_the_member_that_stood_there(tmp_path):
    world = world_of(tmp_path, *PAIRS)
    sample(world)
    push(world)
    asked = units(world)
    for unit, data in shown(world).items():
        sides = [f"s3://media/digits/{int(ref, 16)}/a.png" for ref in asked[unit]["ref_ids"]]
        assert [data["left"], data["right"]] == sides
    clicked = {"from_name": "better", "to_name": "left", "type": "pairwise", "value": {"selected": "right"}}
    answer_all(world, lambda _: [clicked, confirmed("better", "left", "one is better")])
    collect(world)
    found = answers(world, "better")
    assert found.keys() == asked.keys()
    assert {(row["control_type"], *row["choices"]) for row in found.values()} == {("pairwise", "right")}
    assert current_round(world.hot, world.project).state == "closed"


def test_of_a_list_the_order_comes_back_as_the_members_in_it(tmp_path):
    world = world_of(tmp_path, *LISTS)
    sample(world)
    push(world)
    asked = units(world)
    assert {unit: [item["id"] for item in data["items"]] for unit, data in shown(world).items()} == {
        unit: row["ref_ids"] for unit, row in asked.items()
    }

    def reversed_order(data):
        order = [item["id"] for item in reversed(data["items"])]
        sorted_by_hand = {"from_name": "order", "to_name": "items", "type": "ranker"}
        given = sorted_by_hand | {"value": {"ranker": {"order": order}}}
        return [given, confirmed("order", "items", "I have put it right")]

    answer_all(world, reversed_order)
    collect(world)
    found = answers(world, "order")
    assert {unit: [one["item"] for one in row["ranked"]] for unit, row in found.items()} == {
        unit: row["ref_ids"][::-1] for unit, row in asked.items()
    }
    assert current_round(world.hot, world.project).state == "closed"


def test_of_a_triage_each_member_is_published_with_its_bucket_and_what_is_disputed_waits(tmp_path):
    world = world_of(tmp_path, *TRIAGES)
    sample(world)
    push(world)
    asked = units(world)
    disputed = min(unit for unit, row in asked.items() if row["purpose"] == "label")

    def sorted_into(first, rest):
        def result(data):
            items = [item["id"] for item in data["items"]]
            given = {"ranker": {first: items[:1], rest: items[1:], "_": []}}
            by_hand = {"from_name": "order", "to_name": "items", "type": "ranker", "value": given}
            return [by_hand, confirmed("order", "items", "I have put it right")]

        return result

    answer_all(world, sorted_into("keep", "drop"))
    (task,) = [number for number, task in world.label_studio.all_tasks.items() if task["data"]["unit"] == disputed]
    other = sorted_into("drop", "keep")(world.label_studio.all_tasks[task]["data"])
    world.label_studio.annotator("bob@labelloop.test", "x").submit(task, other, lead_time=2.0, key="bob")
    collect(world)
    under_lease(world, "consensus", resolve_labels)
    states = {row["unit_id"]: row["state"] for row in world.table("labels").read().to_pylist()}
    assert {unit for unit, state in states.items() if state == "conflict"} == {disputed}
    publish(world)
    rows = read_dataset(world, latest(world)).to_pylist()
    assert {(row["unit_id"], row["ref_id"], row["label"]) for row in rows} == {
        (unit, ref, "drop" if place else "keep")
        for unit, row in asked.items()
        for place, ref in enumerate(row["ref_ids"])
        if unit != disputed
    }
