"""Items that annotators put into different buckets come before an expert, whose buckets flow back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.clients.datasets import latest, read_dataset
from tasks.clients.world import World
from tasks.rulings import collect_rulings
from tests.builders.annotating import collect, person, push
from tests.builders.labelled_world import publish
from tests.fakes.world import under_lease
from tests.stages.test_review import cases, consensus, labels, review
from tests.stages.test_sample import run as sample
from tests.stages.test_units_of_several import TRIAGES, confirmed, world_of


def sorted_into(data: dict[str, Any], dropped: int) -> list[dict]:
    """The result of somebody who drops so many of a task's four items, from the last on, and keeps the others."""
    items = [item["id"] for item in data["items"]]
    cut = len(items) - dropped
    given = {"ranker": {"keep": items[:cut], "drop": items[cut:], "_": []}}
    by_hand = {"from_name": "order", "to_name": "items", "type": "ranker", "value": given}
    return [by_hand, confirmed("order", "items", "everything is sorted")]


def answer(world: World, unit: str, who: str, dropped: int) -> None:
    (number,) = [n for n, task in world.label_studio.all_tasks.items() if task["data"]["unit"] == unit]
    result = sorted_into(world.label_studio.all_tasks[number]["data"], dropped)
    person(world, who).submit(number, result, lead_time=2.0, key=f"{who}-{number}")


@pytest.fixture
def disputed(tmp_path: Path) -> tuple[World, list[str]]:
    """Of the first unit two annotators sort one item alike of four, of the second three, of the others all."""
    world = world_of(tmp_path, *TRIAGES)
    spec = world.spec
    world.spec = spec.model_copy(
        update={
            "annotators": spec.annotators.model_copy(update={"count": 2, "experts": 1}),
            "overlap": spec.overlap.model_copy(update={"maximum": 2}),
            "review": spec.review.model_copy(update={"share": 0.0}),
        }
    )
    world.settings = world.settings.model_copy(update={"experts": ("expert@labelloop.test",)})
    sample(world)
    push(world)
    units = sorted(row["unit_id"] for row in world.table("units").read().to_pylist())
    for unit, dropped in zip(units, [3, 1, *[0] * len(units)], strict=False):
        answer(world, unit, "ann", 0)
        answer(world, unit, "bob", dropped)
    collect(world)
    consensus(world)
    return world, units


def rule(world: World, case: dict, dropped: int) -> None:
    result = sorted_into(case["data"], dropped)
    person(world, "expert").submit(case["id"], result, lead_time=2.0, key=f"expert-{case['id']}")
    under_lease(world, "rulings", collect_rulings)
    consensus(world)


def test_what_is_sorted_into_different_buckets_comes_before_an_expert_the_most_disputed_first(disputed):
    world, units = disputed
    assert {unit for unit, row in labels(world).items() if row["state"] == "conflict"} == set(units[:2])
    assert review(world) == {"cases": 2, "created": 2, "refused": 0}
    assert [case["data"]["unit"] for case in cases(world)] == units[:2]
    found = world.reviewing().table("batches").read().to_pylist()
    assert {row["unit_id"]: (row["reason"], row["acquisition_score"]) for row in found} == {
        units[0]: ("unlike", 0.75),  # three items of four are in different buckets
        units[1]: ("conflict", 0.125),  # of one of four each bucket is as likely
    }


def test_the_expert_sees_the_items_and_who_put_them_where(disputed):
    world, units = disputed
    review(world)
    case = cases(world)[0]["data"]
    asked = {task["data"]["unit"]: task["data"] for task in world.label_studio.all_tasks.values()}[units[0]]
    assert case["items"] == asked["items"]
    people = {row["annotator"] for row in world.table("annotators").read().to_pylist()}
    assert set(case["competing_answers"]) == {f"order · {who}" for who in people}
    assert sorted(case["competing_answers"].values()) == [
        "drop: Item 2, Item 3, Item 4; keep: Item 1",
        "keep: Item 1, Item 2, Item 3, Item 4",
    ]


def test_where_the_expert_puts_them_is_the_label_and_goes_into_the_training_set(disputed):
    world, units = disputed
    review(world)
    case = cases(world)[0]
    rule(world, case, dropped=2)
    found = labels(world)[units[0]]
    assert (found["decided_by"], found["state"]) == ("expert", "accepted")
    items = [item["id"] for item in case["data"]["items"]]
    ruled = dict(zip(items, ["keep", "keep", "drop", "drop"], strict=True))
    assert {item["item"]: item["bucket"] for item in found["ranked"]} == ruled
    assert review(world) == {"cases": 0, "created": 0, "refused": 0}
    publish(world)
    rows = read_dataset(world, latest(world)).to_pylist()
    assert {row["ref_id"]: row["label"] for row in rows if row["unit_id"] == units[0]} == ruled
    assert units[1] not in {row["unit_id"] for row in rows}  # it still waits for its ruling
