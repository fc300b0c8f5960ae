"""Push: after any interruption Label Studio holds each unit once, in its place of the queue."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labelloop.errors import UnavailableError, WrongServerError
from labelloop.guidelines import to_html
from labelloop.push import planned_overlap
from tasks import task_import
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tasks.survey import survey
from tests.builders.annotating import answer, push, the_project
from tests.builders.chosen_round import N, choose, chosen_round
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.faults import Faults, Killed, killed_after_each_effect
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import copy_of


def on_the_server(world: World) -> list[tuple]:
    """Units on the server in serving order, with overlap and predictions."""
    server: MemoryLabelStudio = world.label_studio
    entries = {}
    for held in server.all_predictions.values():
        entries.setdefault(held["task"], []).append((held["model_version"], round(held["score"], 6)))
    tasks = {n: server.all_tasks[n] for n in server.queue(the_project(world), user_id=0)}
    return [(t["data"]["unit"], t["overlap"], sorted(entries.get(n, []))) for n, t in tasks.items()]


def in_the_lake(world: World) -> list[dict]:
    rows = world.table("tasks").read().sort_by("unit_id").to_pylist()
    return [
        {k: v for k, v in row.items() if k not in ("task_id", "server", "pushed_at", "updated_at")} for row in rows
    ]


def predicted(world: World, version: str, confidences: dict[int, float]) -> None:
    write(
        world,
        "predictions",
        [
            {
                "ref_id": hex_id(u),
                "model_version": version,
                "media_version": "v1",
                "predicted": "1",
                "confidence": confidence,
                "probabilities": [confidence, 1 - confidence],
                "classes": ["1", "0"],
            }
            for u, confidence in confidences.items()
        ],
    )
    write(world, "models", [{"model_version": version, "promoted": True, "trained_on_erased": False}])


def test_every_unit_becomes_one_task_in_the_order_of_the_queue(tmp_path: Path):
    world = chosen_round(tmp_path)
    counts = push(world)
    assert counts["created"] == N
    assert [unit for unit, _, _ in on_the_server(world)] == [hex_id(u) for u in range(N)]
    assert all(entries == [("cold-start-1", (u + 0.5) / N)] for u, (_, _, entries) in enumerate(on_the_server(world)))
    assert current_round(world.hot, "digits").state == "open"


def test_the_task_holds_the_address_of_its_medium_and_nothing_of_its_content(tmp_path: Path):
    world = chosen_round(tmp_path, n=1)
    push(world)
    (task,) = world.label_studio.all_tasks.values()
    assert task["data"] == {"unit": hex_id(0), "ref": hex_id(0), "image": "s3://media/digits/0/a.png"}


def test_the_planned_share_of_units_is_asked_of_several_annotators(tmp_path: Path):
    world = chosen_round(tmp_path, n=40)
    counts = push(world)
    overlaps = {unit: overlap for unit, overlap, _ in on_the_server(world)}
    assert overlaps == {hex_id(u): planned_overlap(world.spec, hex_id(u)) for u in range(40)}
    assert counts["overlap_set"] == sum(overlap == 2 for overlap in overlaps.values()) > 0


def test_the_project_is_set_up_as_the_spec_says(tmp_path: Path):
    world = chosen_round(tmp_path)
    push(world)
    settings = world.label_studio.project(the_project(world))
    assert settings["maximum_annotations"] == 1
    assert settings["sampling"] == "Uncertainty sampling"
    assert settings["show_collab_predictions"] is False
    assert settings["model_version"] == "cold-start-1"
    assert settings["expert_instruction"] == to_html(world.spec.guidelines.text)
    assert list(world.label_studio.storages.values()) == [{"project": the_project(world), "bucket": "media"}]


def test_a_second_push_changes_nothing(tmp_path: Path):
    world = chosen_round(tmp_path)
    push(world)
    before, rows = on_the_server(world), world.table("tasks").version()
    counts = push(world)
    assert on_the_server(world) == before
    assert world.table("tasks").version() == rows
    assert counts == dict.fromkeys(counts, 0) | {"already_there": N}


def test_killed_after_any_effect_and_rerun_it_ends_as_the_clean_run(tmp_path: Path):
    clean = chosen_round(tmp_path / "clean")
    begun = copy_of(clean, tmp_path / "begun")
    push(clean)
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, push), 1):
        assert on_the_server(world) == on_the_server(clean), f"killed after effect {effects}"
        assert (len(world.label_studio.all_tasks), len(world.label_studio.projects)) == (N, 1)
        assert current_round(world.hot, "digits").state == "open"
    assert effects > 7


def test_killed_before_its_first_effect_it_leaves_nothing(tmp_path: Path):
    world = chosen_round(tmp_path, n=1)
    with pytest.raises(Killed):
        push(world, Faults(1))
    assert world.hot.get("label-studio/digits.json") is None


def test_killed_while_requeuing_and_rerun_no_prediction_is_there_twice(tmp_path: Path):
    clean = chosen_round(tmp_path / "clean", n=3)
    push(clean)
    predicted(clean, "m1", {u: 0.9 - u / 10 for u in range(3)})
    begun = copy_of(clean, tmp_path / "begun")
    push(clean)
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, push), 1):
        assert on_the_server(world) == on_the_server(clean), f"killed after effect {effects}"
        assert in_the_lake(world) == in_the_lake(clean)
    assert effects > 5


def lose_replies(world: World, times: int) -> list[int]:
    """Let so many imports be carried out without an answer; returns the sizes of all imports, as they come."""
    carry_out, sizes = world.label_studio.import_tasks, []

    def import_tasks(ls_project, tasks):
        sizes.append(len(tasks))
        numbers = carry_out(ls_project, tasks)
        if len(sizes) <= times:
            raise UnavailableError("Label Studio did not answer")
        return numbers

    world.label_studio.import_tasks = import_tasks
    return sizes


def test_an_import_that_the_server_carried_out_after_all_is_not_repeated(tmp_path: Path):
    world = chosen_round(tmp_path)
    sizes = lose_replies(world, 1)
    assert push(world)["created"] == N
    assert (sizes, len(world.label_studio.all_tasks)) == ([N], N)


def test_a_server_that_fails_is_given_half_as_much_after_a_while_and_then_left_alone(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(task_import, "_BATCH", 8)
    monkeypatch.setattr(task_import, "_LEAST", 1)
    world, waits, sizes = chosen_round(tmp_path), [], []

    def refuse(_, tasks):
        sizes.append(len(tasks))
        raise UnavailableError("Label Studio failed")

    world.wait, world.label_studio.import_tasks = waits.append, refuse
    with pytest.raises(UnavailableError):
        push(world)
    assert (sizes, waits) == ([8, 4, 2, 1], [2.0, 8.0, 30.0])
    assert world.table("tasks").read().num_rows == 0


def test_what_arrived_before_the_server_was_given_up_is_taken_in_by_the_next_push(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(task_import, "_BATCH", 4)
    world = chosen_round(tmp_path)
    carry_out, looked = world.label_studio.import_tasks, world.label_studio.tasks_after
    lose_replies(world, 1)
    world.label_studio.tasks_after = fail
    with pytest.raises(UnavailableError):
        push(world)
    world.label_studio.import_tasks, world.label_studio.tasks_after = carry_out, looked
    counts = push(world)
    assert (counts["created"], counts["adopted"]) == (N - 4, 4)
    assert len(world.label_studio.all_tasks) == N
    assert survey(world).rows() == []


def fail(*_):
    raise UnavailableError("Label Studio did not answer")


def test_doubles_that_arrive_late_are_removed_unless_somebody_answered_them(tmp_path: Path):
    world = chosen_round(tmp_path, n=3)
    push(world)
    late = [
        {"data": {"unit": hex_id(u), "ref": hex_id(u), "image": "s3://media/a.png"}, "predictions": []}
        for u in (0, 1)
    ]
    first, second = world.label_studio.import_tasks(the_project(world), late)
    world.label_studio.annotator("ann@labelloop.test", "x").submit(second, [], lead_time=1.0, key="k")
    counts = push(world)
    assert (counts["surplus"], counts["foreign"]) == (1, 1)
    assert first not in world.label_studio.all_tasks
    assert second in world.label_studio.all_tasks


def test_tasks_of_other_people_are_left_alone(tmp_path: Path):
    world = chosen_round(tmp_path, n=1)
    push(world)
    (number,) = world.label_studio.import_tasks(the_project(world), [{"data": {"image": "http://elsewhere/a.png"}}])
    assert push(world)["foreign"] == 1
    assert number in world.label_studio.all_tasks


@pytest.mark.parametrize("change", [{"state": "missing"}, {"state": "restricted"}, {"media_version": "v2"}])
def test_a_waiting_task_is_withdrawn_when_its_medium_is_gone_or_changed(tmp_path: Path, change):
    world = chosen_round(tmp_path, n=3)
    push(world)
    reference = {"ref_id": hex_id(1), "bucket": "media", "key": "digits/1/a.png", "media_version": "v1"}
    write(world, "references", [reference | change])
    assert push(world)["withdrawn"] == 1
    assert [unit for unit, _, _ in on_the_server(world)] == [hex_id(0), hex_id(2)]
    assert [row["state"] for row in in_the_lake(world)] == ["open", "suspended", "open"]
    assert push(world)["withdrawn"] == 0


def test_an_answered_task_is_never_withdrawn(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    push(world)
    answer(world, 1)
    write(world, "references", [{"ref_id": hex_id(1), "bucket": "media", "key": "k", "state": "missing"}])
    assert push(world)["withdrawn"] == 0
    assert len(world.label_studio.all_tasks) == 2


def test_a_unit_whose_medium_changed_before_the_push_is_not_pushed(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    write(world, "references", [{"ref_id": hex_id(1), "bucket": "media", "key": "k", "media_version": "v2"}])
    assert push(world)["created"] == 1


def test_open_tasks_follow_a_new_model_and_answered_ones_keep_their_prediction(tmp_path: Path):
    world = chosen_round(tmp_path, n=3)
    push(world)
    answer(world, 0)
    write(world, "tasks", [world.table("tasks").read().sort_by("unit_id").to_pylist()[0] | {"state": "answered"}])
    predicted(world, "m1", {0: 0.1, 1: 0.9, 2: 0.4})
    assert push(world)["rescored"] == 2
    assert [unit for unit, _, _ in on_the_server(world)] == [hex_id(2), hex_id(1)]
    versions = {}
    for held in world.label_studio.all_predictions.values():
        versions.setdefault(world.label_studio.all_tasks[held["task"]]["data"]["unit"], []).append(
            held["model_version"]
        )
    assert versions == {hex_id(0): ["cold-start-1"], hex_id(1): ["m1"], hex_id(2): ["m1"]}
    assert world.label_studio.project(the_project(world))["model_version"] == "m1"
    assert {row["unit_id"]: row["queue_version"] for row in in_the_lake(world)}[hex_id(1)] == "m1"


def test_a_task_left_behind_that_has_answers_gets_its_place_in_the_queue_of_now(tmp_path: Path):
    world = chosen_round(tmp_path, n=2, spec=SPEC.replace("share: 0.2,", "share: 1.0,", 1))
    push(world)
    answer(world, 0)
    world.table("tasks").delete("unit_id", [hex_id(0)], fence=lambda: None)
    choose(world, range(2, 3), number=2)
    assert push(world)["adopted"] == 1
    assert {version for _, _, entries in on_the_server(world) for version, _ in entries} == {"cold-start-2"}
    assert survey(world).rows() == survey(world, full=True).rows() == []


def test_the_queue_keeps_its_order_when_predictions_are_hidden_again(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    push(world)
    world.label_studio.change_project(the_project(world), {"show_collab_predictions": True})
    push(world)
    settings = world.label_studio.project(the_project(world))
    assert (settings["show_collab_predictions"], settings["model_version"]) == (False, "cold-start-1")


def test_the_next_round_joins_the_same_queue(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    push(world)
    choose(world, range(2, 4), number=2)
    assert push(world)["created"] == 2
    assert {version for _, _, entries in on_the_server(world) for version, _ in entries} == {"cold-start-2"}
    assert len(on_the_server(world)) == 4


def test_a_key_that_label_studio_cannot_address_is_refused_with_its_reason(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    write(
        world,
        "references",
        [{"ref_id": hex_id(1), "bucket": "media", "key": "digits/what?.png", "media_version": "v1"}],
    )
    counts = push(world)
    assert (counts["created"], counts["refused"]) == (1, 1)
    (row,) = world.table("quarantine").read().to_pylist()
    assert "question mark" in row["rule"]
    assert push(world)["refused"] == 1
    assert world.table("quarantine").read().num_rows == 1


@pytest.mark.parametrize("holds", [0, 1], ids=["without-any-project", "with-a-project-of-that-number"])
def test_another_server_is_told_from_the_right_one(tmp_path: Path, holds: int):
    world = chosen_round(tmp_path)
    push(world)
    world.label_studio = MemoryLabelStudio()
    numbers = [world.label_studio.create_project({"description": "of other people"}) for _ in range(holds)]
    assert numbers == [the_project(world)] * holds
    with pytest.raises(WrongServerError, match="LABELLOOP_LABEL_STUDIO_URL"):
        push(world)
    assert [p["description"] for p in world.label_studio.projects.values()] == ["of other people"] * holds


def test_a_description_written_over_is_mended_by_what_the_error_says(tmp_path: Path):
    world = chosen_round(tmp_path)
    push(world)
    world.label_studio.change_project(the_project(world), {"description": "Digits, for the paper"})
    with pytest.raises(WrongServerError) as refused:
        push(world)
    (marker,) = re.findall(r"put (\S+) back into the project's description", str(refused.value))
    world.label_studio.change_project(the_project(world), {"description": f"Digits, for the paper {marker}"})
    assert push(world)["created"] == 0


def test_an_overlap_set_by_hand_for_all_tasks_is_undone(tmp_path: Path):
    world = chosen_round(tmp_path, n=40)
    push(world)
    before = on_the_server(world)
    world.label_studio.change_project(the_project(world), {"maximum_annotations": 3})
    push(world)
    assert on_the_server(world) == before


def test_new_guidelines_reach_the_project_and_every_open_task(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    push(world)
    old = in_the_lake(world)[0]["guideline_version"]
    told = world.spec.guidelines.model_copy(update={"text": "Look **twice**."})
    world.spec = world.spec.model_copy(update={"guidelines": told})
    push(world)
    assert "<b>twice</b>" in world.label_studio.project(the_project(world))["expert_instruction"]
    assert old not in {row["guideline_version"] for row in in_the_lake(world)}


def test_without_a_round_the_project_is_set_up_and_empty(tmp_path: Path):
    world = chosen_round(tmp_path, n=0)
    world.hot.delete("rounds/digits/000001.json")
    assert push(world)["created"] == 0
    assert world.label_studio.project(the_project(world))["title"] == world.spec.title
    assert survey(world).rows() == []
