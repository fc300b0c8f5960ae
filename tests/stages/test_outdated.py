"""What becomes of tasks whose media is missing, changed, moved or back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from labelloop.spec import ProjectSpec
from tasks.adjudication import adjudicate_conflicts
from tasks.clients.world import World
from tasks.consensus import resolve_labels
from tests.builders.annotating import answer, collect, person, push, pushed, states, task_of, the_project
from tests.builders.digits import START
from tests.builders.rows import hex_id, write
from tests.fakes.faults import killed_after_each_effect
from tests.fakes.world import copy_of, under_lease

LATER = START + timedelta(hours=1)


def becomes(world: World, unit: int, **change) -> None:
    """Change the reference of a unit as sync would."""
    plain = {"bucket": "media", "key": f"digits/{unit}/a.png", "media_version": "v1", "changed_at": LATER}
    write(world, "references", [plain | {"ref_id": hex_id(unit)} | change])


def withdrawing(world: World) -> World:
    media = world.spec.media.model_copy(update={"missing_answers": "withdraw"})
    world.spec = ProjectSpec.model_validate(world.spec.model_copy(update={"media": media}).model_dump())
    return world


def asked_of_two(tmp_path: Path) -> World:
    """One unit, wanted twice, answered once."""
    world = pushed(tmp_path, n=1)
    world.label_studio.set_overlap(task_of(world, 0), 2)
    answer(world, 0, "ann")
    return world


def labels(world: World) -> list[str]:
    under_lease(world, "consensus", resolve_labels)
    return world.table("labels").read()["unit_id"].to_pylist()


def waiting(world: World, name: str = "bob") -> list[int]:
    return world.label_studio.queue(the_project(world), person(world, name).user_id)


def test_a_task_comes_back_with_its_media(tmp_path: Path):
    world = pushed(tmp_path, n=2)
    first = task_of(world, 0)
    becomes(world, 0, state="missing")
    push(world)
    assert (states(world), len(waiting(world))) == (["suspended", "open"], 1)
    becomes(world, 0)
    assert push(world)["created"] == 1
    assert (states(world), len(waiting(world))) == (["open", "open"], 2)
    assert task_of(world, 0) != first
    assert collect(world)["vanished"] == 0


def test_tasks_of_missing_media_are_no_mass_disappearance(tmp_path: Path):
    world = pushed(tmp_path, n=4)
    for unit in range(4):
        becomes(world, unit, state="missing")
    push(world)
    assert collect(world)["vanished"] == 0


def test_a_task_of_changed_media_is_not_asked_again_under_its_old_unit(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    becomes(world, 0, media_version="v2")
    push(world)
    assert push(world)["created"] == 0
    assert waiting(world) == []


@pytest.mark.parametrize("change", [{"state": "missing"}, {"media_version": "v2"}])
def test_nobody_is_asked_about_other_bytes_of_a_unit_some_have_answered(tmp_path: Path, change):
    world = asked_of_two(tmp_path)
    assert waiting(world)
    becomes(world, 0, **change)
    assert push(world)["finished"] == 1
    assert waiting(world) == []
    collect(world)
    assert (states(world), labels(world)) == (["answered"], [hex_id(0)])
    assert push(world)["finished"] == 0


def test_an_answer_edited_later_does_not_hand_the_task_out_again(tmp_path: Path):
    world = asked_of_two(tmp_path)
    becomes(world, 0, media_version="v2")
    push(world)
    world.label_studio._count(task_of(world, 0))
    assert waiting(world) == []


def test_answers_about_missing_media_wait_for_its_return(tmp_path: Path):
    world = pushed(tmp_path, n=2)
    answer(world, 0)
    collect(world)
    becomes(world, 0, state="missing")
    counts = push(world)
    assert (counts["kept"], counts["withdrawn"]) == (1, 0)
    assert labels(world) == [hex_id(0)]
    assert task_of(world, 0)


def test_answers_about_missing_media_go_with_it_where_the_spec_says_so(tmp_path: Path):
    world = withdrawing(pushed(tmp_path, n=2))
    answer(world, 0)
    collect(world)
    assert labels(world) == [hex_id(0)]
    becomes(world, 0, state="missing")
    counts = push(world)
    assert (counts["kept"], counts["withdrawn"]) == (0, 1)
    assert states(world) == ["suspended", "open"]
    assert labels(world) == []
    becomes(world, 0)
    assert push(world)["created"] == 1


def test_answers_about_changed_media_are_kept_whatever_the_spec_says_of_missing_media(tmp_path: Path):
    world = withdrawing(pushed(tmp_path, n=2))
    answer(world, 0)
    collect(world)
    becomes(world, 0, media_version="v2")
    assert push(world)["withdrawn"] == 0
    assert labels(world) == [hex_id(0)]


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_task_of_moved_media_shows_its_new_address(tmp_path: Path, is_answered):
    world = pushed(tmp_path, n=2)
    if is_answered:
        answer(world, 0)
        collect(world)
    number = task_of(world, 0)
    becomes(world, 0, key="digits/0/b.png", object_version="v9")
    assert push(world)["readdressed"] == 1
    assert world.label_studio.all_tasks[number]["data"] == {
        "unit": hex_id(0),
        "ref": hex_id(0),
        "image": "s3://media/digits/0/b.png",
    }
    assert push(world)["readdressed"] == 0
    assert states(world) == ["answered" if is_answered else "open", "open"]


def test_no_further_opinion_is_asked_about_media_that_changed(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    world.label_studio.set_overlap(task_of(world, 0), 2)
    answer(world, 0, "ann", "1")
    answer(world, 0, "bob", "2")
    collect(world)
    labels(world)
    changed = copy_of(world, tmp_path / "changed")
    becomes(changed, 0, media_version="v2")
    asked = [under_lease(w, "adjudication", adjudicate_conflicts).counts["asked_again"] for w in (world, changed)]
    assert asked == [1, 0]


def test_killed_after_any_effect_and_rerun_it_ends_as_the_clean_run(tmp_path: Path):
    clean = withdrawing(pushed(tmp_path / "clean", n=4))
    for unit in (0, 1):
        answer(clean, unit)
    world_number = task_of(clean, 1)
    collect(clean)
    becomes(clean, 0, state="missing")
    becomes(clean, 1, key="digits/1/b.png")
    becomes(clean, 2, media_version="v2")
    begun = copy_of(clean, tmp_path / "begun")
    push(clean)
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, push), 1):
        assert states(world) == states(clean) == ["suspended", "answered", "suspended", "open"], effects
        assert world.label_studio.all_tasks[world_number]["data"]["image"] == "s3://media/digits/1/b.png"
        assert labels(world) == labels(clean) == [hex_id(1)]
    assert effects > 4
