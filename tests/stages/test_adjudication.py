"""Adjudication: a conflict gets one more opinion while that is allowed, then it waits for an expert."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from labelloop.errors import UnavailableError
from tasks.adjudication import adjudicate_conflicts
from tasks.clients.world import World
from tasks.consensus import resolve_labels
from tests.builders.annotating import answer, collect, person, pushed, states, task_of, the_project
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.faults import Faults, killed_after_each_effect, lose_connection
from tests.fakes.world import under_lease


def adjudicate(world: World, faults: Faults | None = None) -> dict[str, int]:
    return under_lease(faults.guard(world) if faults else world, "adjudication", adjudicate_conflicts).counts


def disputed(tmp_path: Path, opinions: int = 2) -> World:
    """Unit 0 has been answered by several annotators who disagree; unit 1 waits for its first answer."""
    world = pushed(tmp_path, n=2)
    for name, value in list(zip(("ann", "bob", "cis", "dan"), "1212", strict=True))[:opinions]:
        answer(world, 0, name, value)
    collect(world)
    label(world, "conflict")
    return world


def label(world: World, state: str) -> None:
    write(world, "labels", [{"unit_id": hex_id(0), "control": "digit", "confidence": 0.5, "n": 2, "state": state}])


def overlap(world: World) -> list[int]:
    return world.table("tasks").read().sort_by("unit_id")["overlap"].to_pylist()


def test_a_conflict_is_asked_of_one_more_annotator(tmp_path: Path):
    world = disputed(tmp_path)
    assert adjudicate(world) == {"asked_again": 1, "for_expert": 0, "sure": 0}
    assert (states(world)[0], overlap(world)[0]) == ("open", 3)
    project = the_project(world)
    assert task_of(world, 0) in world.label_studio.queue(project, person(world, "cis").user_id)
    assert task_of(world, 0) not in world.label_studio.queue(project, person(world, "ann").user_id)


def test_while_the_new_opinion_is_awaited_nothing_more_is_asked(tmp_path: Path):
    world = disputed(tmp_path)
    adjudicate(world)
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 0, "sure": 0}


def test_at_the_maximum_a_conflict_waits_for_an_expert(tmp_path: Path):
    world = disputed(tmp_path, opinions=4)
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 1, "sure": 0}
    assert states(world)[0] == "answered"


def test_an_opinion_that_came_unasked_while_a_conflict_was_raised_for_it_counts(tmp_path: Path):
    world = disputed(tmp_path, opinions=2)
    answer(world, 0, "cis", "0")  # from the data manager, behind collect
    assert adjudicate(world)["asked_again"] == 1
    collect(world)
    assert states(world)[0] == "answered"
    assert adjudicate(world) == {"asked_again": 1, "for_expert": 0, "sure": 0}
    assert overlap(world)[0] == 4


def test_when_everybody_else_skipped_a_conflict_waits_for_an_expert(tmp_path: Path):
    world = disputed(tmp_path)
    for name in ("cis", "dan"):
        person(world, name).skip(task_of(world, 0))
    collect(world)
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 1, "sure": 0}


def test_an_accepted_label_is_left_alone(tmp_path: Path):
    world = disputed(tmp_path)
    label(world, "accepted")
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 0, "sure": 0}


def test_each_conflict_is_asked_once_more_each_night_up_to_the_maximum(tmp_path: Path):
    world = disputed(tmp_path)
    for name in ("cis", "dan"):
        assert adjudicate(world)["asked_again"] == 1
        answer(world, 0, name)
        collect(world)
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 1, "sure": 0}


def test_a_raised_task_whose_label_became_sure_is_handed_out_no_more(tmp_path: Path):
    world = disputed(tmp_path)
    adjudicate(world)
    label(world, "accepted")
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 0, "sure": 1}
    assert (states(world)[0], overlap(world)[0]) == ("answered", 2)
    project, cis = the_project(world), person(world, "cis").user_id
    assert task_of(world, 0) not in world.label_studio.queue(project, cis)
    assert adjudicate(world)["sure"] == 0


def test_boxes_in_dispute_are_asked_again_until_the_votes_on_them_are_sure(tmp_path: Path):
    spec = SPEC.replace("name: digit, type: choices", "name: box, type: rectangle").replace(
        "source: trainer", "source: none"
    )
    world = pushed(tmp_path, n=1, spec=f"{spec}\nquality: {{accept_confidence: 0.6}}\n")
    for name, left in (("ann", 0.0), ("bob", 50.0), ("cis", 1.0)):
        place = {"x": left, "y": 0.0, "width": 20.0, "height": 20.0, "rectanglelabels": ["1"]}
        mark = {"id": "r", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": place}
        answer(world, 0, name, result=[mark])
        collect(world)
        under_lease(world, "consensus", resolve_labels)
        asked_again = adjudicate(world)["asked_again"]
        assert asked_again == (1 if name == "bob" else 0), name
    assert states(world) == ["answered"]


def test_no_further_opinion_is_bought_on_what_is_known_already(tmp_path: Path):
    world = disputed(tmp_path)
    known = {"unit_id": hex_id(0), "purpose": "gold", "ref_ids": [hex_id(0)], "media_versions": ["v1"]}
    write(world, "units", [known])
    assert adjudicate(world) == {"asked_again": 0, "for_expert": 0, "sure": 0}


def test_killed_after_any_effect_and_rerun_one_more_opinion_is_asked_and_not_two(tmp_path: Path):
    begun = disputed(tmp_path / "begun")
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, adjudicate), 1):
        task = world.label_studio.all_tasks[task_of(world, 0)]
        assert (task["overlap"], task["is_labeled"]) == (3, False), f"killed after effect {effects}"
        assert (states(world)[0], overlap(world)[0]) == ("open", 3)
    assert effects == 3


def all_disputed(tmp_path: Path, n: int) -> World:
    """Each of n units has been answered by two annotators who disagree."""
    world = pushed(tmp_path, n=n)
    for unit, (name, value) in itertools.product(range(n), (("ann", "1"), ("bob", "2"))):
        answer(world, unit, name, value)
    collect(world)
    conflict = {"control": "digit", "confidence": 0.5, "n": 2, "state": "conflict"}
    write(world, "labels", [conflict | {"unit_id": hex_id(unit)} for unit in range(n)])
    return world


@pytest.mark.parametrize("after", [False, True], ids=["refused", "answer lost"])
@pytest.mark.parametrize("at", [1, 6, 7, 12], ids=["first raised", "last raised", "first opened", "last opened"])
def test_a_failure_among_many_that_are_asked_at_once_is_mended_by_the_next_run(tmp_path: Path, at: int, after: bool):
    n = 6
    world = all_disputed(tmp_path, n)
    with pytest.raises(UnavailableError):
        adjudicate(world, Faults(at, after=after, strike=lose_connection))
    assert set(states(world)) == {"answered"}  # the lake tells of none before all are done
    assert adjudicate(world) == {"asked_again": n, "for_expert": 0, "sure": 0}
    asked = world.label_studio.all_tasks.values()
    assert [(task["overlap"], task["is_labeled"]) for task in asked] == [(3, False)] * n
    assert (states(world), overlap(world)) == (["open"] * n, [3] * n)
