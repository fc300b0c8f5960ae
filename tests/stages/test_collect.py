"""Collect: every answer, edit and deletion arrives once, typed, and nothing is lost to a wrong server."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from labelloop.errors import DecisionNeeded, WrongServerError
from labelloop.push import planned_overlap
from tasks.clients.lake import Lake
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tests.builders.annotating import answer, choice, collect, person, push, pushed, states, task_of, the_project
from tests.builders.chosen_round import chosen_round
from tests.builders.digits import SPEC
from tests.builders.respecified import asking
from tests.builders.rows import hex_id, write
from tests.fakes.faults import killed_after_each_effect
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import copy_of

MANY = SPEC.replace("share: 0.2,", "share: 1.0,")


def rows(world: World) -> list[dict]:
    return (
        world.table("annotations").read().sort_by([("unit_id", "ascending"), ("created_at", "ascending")]).to_pylist()
    )


def watermark(world: World) -> dict:
    return world.hot.get("watermarks/digits/collect.json").value


def test_an_answer_becomes_one_typed_row(tmp_path: Path):
    world = pushed(tmp_path)
    number = answer(world, 2, value="1")
    assert collect(world)["annotations"] == 1
    (row,) = rows(world)
    server = world.hot.get("label-studio/digits.json").value["server"]
    assert row["annotation_id"] == f"{server}:{number}"
    assert (row["unit_id"], row["control"], row["control_type"], row["choices"]) == (
        hex_id(2),
        "digit",
        "choices",
        ["1"],
    )
    assert (row["lead_time"], row["opinion_reason"], row["state"]) == (2.5, "planned", "active")
    assert json.loads(row["raw"])[0]["value"] == {"choices": ["1"]}


def test_annotators_are_known_by_pseudonym_only(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0, "ann")
    answer(world, 1, "bob")
    answer(world, 2, "ann")
    collect(world)
    people = world.table("annotators").read().to_pylist()
    assert {p["annotator"] for p in people} == {row["annotator"] for row in rows(world)}
    assert len(people) == 2
    assert all(p["annotator"].startswith("a-") and (p["n"], p["level"]) == (0, "annotator") for p in people)


def test_a_second_collect_changes_nothing(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0)
    collect(world)
    versions = {name: world.table(name).version() for name in ("annotations", "annotators", "tasks")}
    collect(world)
    assert versions == {name: world.table(name).version() for name in versions}


def test_new_answers_are_added_and_only_edited_ones_are_looked_for_among_those_stored(tmp_path: Path):
    world = pushed(tmp_path, lake=Lake(str(tmp_path / "lake")))
    edited = answer(world, 0, value="1")
    collect(world)
    assert how_written(world)[0] == "WRITE"  # a merge would hold the whole table in memory
    answer(world, 1)
    person(world, "ann").edit(edited, choice("2"))
    assert collect(world)["annotations"] == 2
    assert sorted(how_written(world)[:2]) == ["MERGE", "WRITE"]
    assert [row["choices"] for row in rows(world)] == [["2"], ["1"]]


def how_written(world: World) -> list[str]:
    """By which operation each version of the answers was written, the newest first."""
    return [done["operation"] for done in DeltaTable(world.table("annotations").uri).history()]


def test_only_what_changed_is_read_again(tmp_path: Path):
    world = pushed(tmp_path, n=200)
    answer(world, 0)
    collect(world)
    answer(world, 1)
    assert collect(world)["changed"] < 150


def test_a_change_that_became_visible_late_is_still_read(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0)
    collect(world)
    answer(world, 1)
    late = datetime.fromisoformat(watermark(world)["updated_at"]) - timedelta(seconds=90)
    world.label_studio.all_tasks[task_of(world, 1)]["updated_at"] = late.isoformat()
    collect(world)
    assert len(rows(world)) == 2


def test_without_its_watermark_everything_is_read_whatever_the_clock_of_the_server_said(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0)
    collect(world)
    answer(world, 1)
    back = datetime.fromisoformat(watermark(world)["updated_at"]) - timedelta(hours=1)
    world.label_studio.all_tasks[task_of(world, 1)]["updated_at"] = back.isoformat()
    collect(world)
    assert len(rows(world)) == 1
    world.hot.delete("watermarks/digits/collect.json")
    collect(world)
    assert len(rows(world)) == 2


def test_an_answer_given_behind_the_reader_during_a_long_listing_is_read_the_next_time(tmp_path: Path, monkeypatch):
    world = pushed(tmp_path)
    listed = world.label_studio.changed_tasks
    number = task_of(world, 3)

    def slowly(project, since):
        for task in listed(project, since):
            if task.task_id == number:
                answer(world, 0)  # its page was read already
                late = datetime.fromisoformat(world.label_studio.all_tasks[number]["updated_at"]) + timedelta(hours=1)
                world.label_studio.all_tasks[number]["updated_at"] = late.isoformat()
                (task,) = world.label_studio.tasks(project, [number])
            yield task

    with monkeypatch.context() as patch:
        patch.setattr(world.label_studio, "changed_tasks", slowly)
        assert collect(world)["annotations"] == 0
    assert collect(world)["annotations"] == 1


def test_answers_of_a_deleted_account_stay_whose_they_were(tmp_path: Path):
    world = pushed(tmp_path, n=2, spec=MANY, settings={"experts": ["eve@labelloop.test"]})
    for name in ("eve", "ann"):
        answer(world, 0, name)
    collect(world)
    before = rows(world), world.table("annotators").read().to_pylist()
    for name in ("eve", "ann"):
        world.label_studio.delete_user(person(world, name).user_id)
    collect(world)
    assert (rows(world), world.table("annotators").read().to_pylist()) == before


def test_answers_of_an_account_deleted_before_they_were_read_are_each_of_somebody_unknown(tmp_path: Path):
    world = pushed(tmp_path, n=2)
    for unit in range(2):
        answer(world, unit)
    world.label_studio.delete_user(person(world, "ann").user_id)
    assert collect(world)["annotations"] == 2
    assert len({row["annotator"] for row in rows(world)}) == 2


def test_an_edit_replaces_the_answer(tmp_path: Path):
    world = pushed(tmp_path)
    number = answer(world, 0, value="1")
    collect(world)
    person(world, "ann").edit(number, choice("2"))
    collect(world)
    (row,) = rows(world)
    assert row["choices"] == ["2"]
    assert row["updated_at"] > row["created_at"]


def test_a_deleted_answer_leaves_a_tombstone_without_content_and_reopens_its_task(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=SPEC.replace("share: 0.2", "share: 0.0"))
    number = answer(world, 0)
    collect(world)
    assert states(world) == ["answered"]
    person(world, "ann").withdraw(number)
    assert collect(world)["deleted"] == 1
    (row,) = rows(world)
    assert (row["state"], row["choices"], row["raw"]) == ("deleted", None, "[]")
    assert states(world) == ["open"]
    assert collect(world)["deleted"] == 0


def test_a_skipped_task_is_a_cancelled_row_and_stays_open_for_others(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=SPEC.replace("share: 0.2", "share: 0.0"))
    person(world, "ann").skip(task_of(world, 0))
    collect(world)
    assert [(row["state"], row["choices"]) for row in rows(world)] == [("cancelled", None)]
    assert states(world) == ["open"]


def test_a_task_everybody_skipped_waits_for_nobody(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    for name in ("ann", "bob", "cis", "dan"):
        person(world, name).skip(task_of(world, 0))
    collect(world)
    assert states(world) == ["answered"]


def test_a_task_whose_overlap_was_lowered_to_its_answers_waits_for_nobody(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=SPEC.replace("share: 0.2,", "share: 0.0,", 1))
    world.label_studio.set_overlap(task_of(world, 0), 2)  # by hand
    answer(world, 0)
    assert push(world)["overlap_set"] == 1
    assert person(world, "bob").next_task(the_project(world)) is None
    collect(world)
    assert states(world) == ["answered"]


@pytest.mark.parametrize(("skipped", "reason"), [(0, "planned"), (1, "planned"), (2, "adaptive")])
def test_what_was_skipped_is_told_with_the_reason_it_was_asked_for(tmp_path: Path, skipped: int, reason: str):
    world = pushed(tmp_path, n=1, spec=MANY)
    for place, name in enumerate(("ann", "bob", "cis", "dan")):
        if place == skipped:
            person(world, name).skip(task_of(world, 0))
        else:
            answer(world, 0, name)
    collect(world)
    told = {row["state"]: row["opinion_reason"] for row in rows(world)}
    assert told["cancelled"] == reason
    assert sum(row["opinion_reason"] == "planned" for row in rows(world) if row["state"] == "active") == 2


def test_an_empty_answer_is_no_opinion(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    answer(world, 0, result=[])
    collect(world)
    assert [row["state"] for row in rows(world)] == ["cancelled"]


def test_opinions_beyond_the_planned_ones_are_adaptive_in_order_of_time(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=MANY)
    for name in ("ann", "bob", "cis"):
        answer(world, 0, name)
    collect(world)
    assert [row["opinion_reason"] for row in rows(world)] == ["planned", "planned", "adaptive"]


def test_the_first_opinions_on_a_gold_unit_are_gold(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=MANY)
    unit = world.table("units").read().to_pylist()[0]
    write(world, "units", [unit | {"purpose": "gold"}])
    for name in ("ann", "bob", "cis"):
        answer(world, 0, name)
    collect(world)
    assert [row["opinion_reason"] for row in rows(world)] == ["gold", "gold", "adaptive"]


def test_marks_arrive_as_typed_regions_and_change_nothing_when_read_again(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    box = {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 0, "rectanglelabels": ["spot"]}
    keys = {"from_name": "spots", "to_name": "image", "type": "rectanglelabels"}
    answer(world, 0, result=[*choice("1"), {**keys, "id": "r1", "value": box}])
    collect(world)
    spots = next(row for row in rows(world) if row["control"] == "spots")
    (region,) = spots["regions"]
    assert (spots["control_type"], spots["choices"]) == ("rectangle", None)
    assert (region["region_id"], region["labels"], region["points"]) == ("r1", ["spot"], [1, 2, 3, 4])
    version = world.table("annotations").version()
    collect(world)
    assert world.table("annotations").version() == version


def test_the_answer_of_an_expert_is_a_review(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=MANY, settings={"experts": ["Eve@labelloop.test"]})
    answer(world, 0, "eve", value="2")
    answer(world, 0, "ann")
    answer(world, 0, "bob")
    collect(world)
    assert [row["opinion_reason"] for row in rows(world)] == ["review", "planned", "planned"]
    levels = {p["annotator"]: p["level"] for p in world.table("annotators").read().to_pylist()}
    assert sorted(levels.values()) == ["annotator", "annotator", "expert"]
    assert levels[rows(world)[0]["annotator"]] == "expert"


def test_an_unknown_shape_is_quarantined_with_its_reason_and_the_rest_arrives(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0, result=[{"foo": 1}])
    answer(world, 1, value="9")
    answer(world, 2)
    assert collect(world)["refused"] == 2
    reasons = sorted(world.table("quarantine").read()["rule"].to_pylist())
    assert reasons == ["a label is none of the question's labels", "it names no control"]
    assert [row["unit_id"] for row in rows(world)] == [hex_id(2)]
    assert collect(world)["refused"] == 0


def test_an_interface_that_was_edited_and_put_back_has_lost_no_answer(tmp_path: Path):
    world = pushed(tmp_path)
    before = world.spec
    answer(world, 0, value="1")
    collect(world)
    answer(world, 1, value="1")
    asking(world, "0", "2")
    assert collect(world)["refused"] == 2
    world.label_studio._moment += timedelta(hours=1)
    answer(world, 2, value="2")
    collect(world)
    world.spec = before
    collect(world)
    assert [(row["unit_id"], row["choices"]) for row in rows(world)] == [
        (hex_id(0), ["1"]),
        (hex_id(1), ["1"]),
        (hex_id(2), ["2"]),
    ]


def test_what_was_on_the_screen_stays_with_the_answer(tmp_path: Path):
    world = pushed(tmp_path, n=1, spec=MANY)
    number = answer(world, 0)
    collect(world)
    (first,) = rows(world)
    told = world.spec.guidelines.model_copy(update={"text": "Look twice."})
    world.spec = world.spec.model_copy(update={"guidelines": told})
    push(world)
    person(world, "ann").edit(number, choice("2"))
    answer(world, 0, "bob")
    collect(world)
    edited, second = rows(world)
    assert edited["guideline_version"] == first["guideline_version"] != second["guideline_version"]


def test_a_task_is_answered_when_it_has_its_opinions(tmp_path: Path):
    world = pushed(tmp_path, n=40)
    several = next(u for u in range(40) if planned_overlap(world.spec, hex_id(u)) == 2)
    single = next(u for u in range(40) if planned_overlap(world.spec, hex_id(u)) == 1)
    answer(world, several)
    answer(world, single)
    collect(world)
    assert (states(world)[several], states(world)[single]) == ("open", "answered")
    answer(world, several, "bob")
    collect(world)
    assert states(world)[several] == "answered"


def test_the_round_is_closed_when_nothing_of_it_waits(tmp_path: Path):
    world = pushed(tmp_path, n=2, spec=SPEC.replace("share: 0.2", "share: 0.0"))
    answer(world, 0)
    collect(world)
    assert current_round(world.hot, "digits").state == "open"
    answer(world, 1)
    assert collect(world)["closed_rounds"] == 1
    record = current_round(world.hot, "digits")
    assert (record.state, record.closed_at) == ("closed", world.now())


def test_a_task_deleted_on_the_server_is_withdrawn_and_its_answers_are_tombstones(tmp_path: Path):
    world = pushed(tmp_path, n=10)
    answer(world, 3)
    collect(world)
    world.label_studio.delete_task(task_of(world, 3))
    assert collect(world)["vanished"] == 1
    assert states(world)[3] == "withdrawn"
    assert [row["state"] for row in rows(world)] == ["deleted"]


def test_a_mass_disappearance_needs_a_decision_and_changes_nothing(tmp_path: Path):
    world = pushed(tmp_path, n=10)
    answer(world, 9)
    collect(world)
    for unit in range(3):
        world.label_studio.delete_task(task_of(world, unit))
    answer(world, 8)
    with pytest.raises(DecisionNeeded, match="3 of 10 tasks"):
        collect(world)
    assert len(rows(world)) == 1
    assert "withdrawn" not in states(world)


def test_another_server_is_refused_before_anything_is_concluded(tmp_path: Path):
    world = pushed(tmp_path)
    answer(world, 0)
    collect(world)
    world.label_studio = MemoryLabelStudio()
    with pytest.raises(WrongServerError):
        collect(world)
    assert [row["state"] for row in rows(world)] == ["active"]


def test_before_the_first_push_there_is_nothing_to_collect(tmp_path: Path):
    assert collect(chosen_round(tmp_path)) == {}


def test_annotations_of_units_the_lake_does_not_know_are_left_out(tmp_path: Path):
    world = pushed(tmp_path, n=1)
    project = the_project(world)
    data = {"unit": hex_id(77), "image": "s3://media/digits/77/a.png"}
    (number,) = world.label_studio.import_tasks(project, [{"data": data}])
    person(world, "ann").submit(number, choice("1"), lead_time=1.0, key="once")
    assert collect(world)["annotations"] == 0


def test_killed_after_any_effect_and_rerun_it_ends_as_the_clean_run(tmp_path: Path):
    clean = pushed(tmp_path / "clean", n=10)
    number = answer(clean, 0)
    answer(clean, 1, result=[{"foo": 1}])
    collect(clean)
    person(clean, "ann").withdraw(number)
    answer(clean, 2, "bob")
    clean.label_studio.delete_task(task_of(clean, 3))
    begun = copy_of(clean, tmp_path / "begun")
    collect(clean)
    wanted = rows(clean), states(clean), watermark(clean)
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, collect), 1):
        assert (rows(world), states(world), watermark(world)) == wanted, f"killed after effect {effects}"
    assert effects > 2
