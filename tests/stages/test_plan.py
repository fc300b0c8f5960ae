"""Plan and apply: the plan changes nothing and names all that apply does; after it a second plan is empty."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

import flows.reconcile
import tasks.plan
from labelloop.errors import DecisionNeeded
from tasks.clients.world import World
from tasks.collect import collect_annotations
from tasks.consensus import resolve_labels
from tasks.push import carry_out, push_round
from tasks.survey import survey
from tests.builders.annotating import answer, choice, collect, person, push, pushed, task_of, the_project
from tests.builders.chosen_round import N, chosen_round
from tests.builders.respecified import asking, changes, respecified
from tests.builders.rows import hex_id, write
from tests.fakes.faults import Faults, killed_after_each_effect
from tests.fakes.world import copy_of, under_lease
from tests.stages.test_push import predicted


def test_the_plan_of_a_new_project_names_all_that_push_then_does(tmp_path: Path):
    world = chosen_round(tmp_path)
    planned = changes(world)
    assert planned == {"create the project": 1, "set up the media storage": 1, "create tasks": N}
    assert world.label_studio.projects == {}
    assert push(world)["created"] == N
    assert changes(world) == changes(world, full=True) == {}


def test_looking_changes_nothing(tmp_path: Path):
    world, seen = pushed(tmp_path), Faults()
    predicted(world, "m1", {0: 0.9, 1: 0.8})
    asking(world, "0", "1", "9")
    survey(seen.guard(world), full=True)
    assert seen.calls == []


def test_samples_are_opaque_ids_of_units(tmp_path: Path):
    world = chosen_round(tmp_path, n=12)
    (row,) = [row for row in survey(world).rows() if row["change"] == "create tasks"]
    assert (row["count"], row["sample"]) == (12, [hex_id(u) for u in range(5)])


def test_all_that_can_differ_is_found_done_and_not_found_again(tmp_path: Path):
    world = pushed(tmp_path, n=8)
    server, project = world.label_studio, the_project(world)
    reference = {"bucket": "media", "media_version": "v1"}
    write(world, "references", [reference | {"ref_id": hex_id(0), "key": "digits/0/a.png", "state": "missing"}])
    server.change_data(task_of(world, 1), {"unit": hex_id(1), "image": "s3://media/digits/9/other.png"})
    server.set_overlap(task_of(world, 2), 7)
    server.finish(task_of(world, 3))
    server.delete_predictions(project, [task_of(world, 4)])
    server.import_tasks(project, [{"data": {"unit": hex_id(5), "image": "s3://media/digits/5/a.png"}}])
    server.change_project(project, {"title": "Mine", "show_instruction": False})
    server.storages.clear()
    respecified(world, guidelines={"text": "Look twice."})
    found = changes(world)
    assert (
        found
        == changes(world, full=True)
        == {
            "overwrite title": 1,
            "overwrite show_instruction": 1,
            "set expert_instruction": 1,
            "set up the media storage": 1,
            "delete doubles and orphans": 1,
            "withdraw tasks": 1,
            "mend what tasks show": 1,
            "set overlaps": 1,
            "re-open tasks": 1,
            "replace predictions": 1,
            "show other guidelines": 8,
        }
    )
    push(world)
    assert changes(world) == changes(world, full=True) == {}


def test_a_plan_without_changes_reads_no_task_but_those_changed_since(tmp_path: Path):
    world = pushed(tmp_path, n=8)
    answer(world, 0)
    read, listed = [], world.label_studio.changed_tasks

    def changed_tasks(project, since):
        for task in listed(project, since):
            read.append(task.unit_id)
            yield task

    world.label_studio.changed_tasks = changed_tasks
    assert changes(world) == {}
    assert read == [hex_id(0)]
    read.clear()
    assert changes(world, full=True) == {}
    assert len(read) == 8


def test_a_score_edited_on_the_server_is_found_by_whoever_reads_all_and_put_right(tmp_path: Path):
    world = pushed(tmp_path, n=3)
    edited = next(held for held in world.label_studio.all_predictions.values() if held["task"] == task_of(world, 1))
    before, edited["score"] = edited["score"], 0.99
    assert (changes(world), changes(world, full=True)) == ({}, {"replace predictions": 1})
    under_lease(world, "push", push_round, full=True)
    assert changes(world, full=True) == {}
    held = {held["task"]: held["score"] for held in world.label_studio.all_predictions.values()}
    assert held[task_of(world, 1)] == before


@pytest.mark.parametrize("late", ["task", "prediction", "deletion"])
def test_what_comes_or_goes_late_is_told_by_the_counts(tmp_path: Path, late: str):
    world = pushed(tmp_path, n=3)
    server, project = world.label_studio, the_project(world)
    if late == "task":
        server.import_tasks(project, [server.all_tasks[task_of(world, 1)]])
        server.all_tasks[max(server.all_tasks)]["updated_at"] = "2026-11-02T07:00:00+00:00"
    elif late == "prediction":
        new = {"task": task_of(world, 1), "score": 0.5, "model_version": "cold-start-1", "result": []}
        server.import_predictions(project, [new])
    else:
        server.delete_task(task_of(world, 1))
    expected = {"task": "delete doubles and orphans", "prediction": "replace predictions"}
    assert list(changes(world)) == ([expected[late]] if late in expected else [])
    assert survey(world).vanished == (late == "deletion")
    push(world)
    assert changes(world) == {}


def test_what_is_kept_of_settings_edited_by_hand_is_said_and_the_queue_is_not(tmp_path: Path):
    world = respecified(pushed(tmp_path), workbench={"edited_settings": "keep"})
    server, project = world.label_studio, the_project(world)
    server.change_project(project, {"title": "Mine", "sampling": "Sequential sampling", "show_overlap_first": True})
    assert changes(world) == {"overwrite sampling": 1, "overwrite show_overlap_first": 1}
    assert survey(world).notes() == ["edited by hand and kept: title"]
    push(world)
    settings = server.project(project)
    kept = (settings["title"], settings["sampling"], settings["show_overlap_first"])
    assert kept == ("Mine", "Uncertainty sampling", False)
    world.spec = world.spec.model_copy(update={"title": "Digits of 2027"})
    assert changes(world) == {}


def test_a_setting_changed_in_the_spec_alone_is_set_whatever_the_policy(tmp_path: Path):
    world = respecified(pushed(tmp_path), workbench={"edited_settings": "keep"})
    world.spec = world.spec.model_copy(update={"title": "Digits of 2027"})
    assert changes(world) == {"set title": 1}
    push(world)
    assert world.label_studio.project(the_project(world))["title"] == "Digits of 2027"


def test_views_of_the_spec_are_set_up_and_those_of_people_left_alone(tmp_path: Path):
    queue = {"title": "Queue", "show": "waiting", "order": "queue"}
    world = respecified(chosen_round(tmp_path), workbench={"views": [queue]})
    push(world)
    server, project = world.label_studio, the_project(world)
    server.save_view(project, {"title": "Mine"})
    (number,) = [n for n, view in server.views(project).items() if view["title"] == "Queue"]
    assert changes(world) == {}
    server.save_view(project, {"title": "Queue", "hiddenColumns": ["id"]}, number)
    assert changes(world) == {"set up views": 1}
    push(world)
    assert changes(world) == {}
    assert {view["title"] for view in server.views(project).values()} == {"Queue", "Mine"}


def test_views_that_the_spec_asks_for_no_more_are_removed_and_those_of_people_never(tmp_path: Path):
    desks = [{"title": f"Desk {part}", "show": "waiting", "part": part, "parts": 2} for part in (1, 2)]
    world = respecified(chosen_round(tmp_path), workbench={"views": desks})
    push(world)
    server, project = world.label_studio, the_project(world)
    server.save_view(project, {"title": "Mine"})
    respecified(world, workbench={"views": [], "edited_settings": "keep"})
    assert changes(world) == {}
    respecified(world, workbench={"views": [{"title": "Desk 1", "show": "waiting"}], "edited_settings": "overwrite"})
    assert changes(world) == {"set up views": 1, "remove views": 1}
    push(world)
    assert changes(world) == {}
    assert {view["title"] for view in server.views(project).values()} == {"Desk 1", "Mine"}
    server.save_view(project, {"title": "Desk 2"})
    assert changes(world) == {}


def answered(tmp_path: Path) -> World:
    """Four units, three of them answered: 1, 1 and 2."""
    world = pushed(tmp_path)
    for unit, value in enumerate("112"):
        answer(world, unit, value=value)
    collect(world)
    return world


def given(world: World) -> list[list[str]]:
    under_lease(world, "collect", collect_annotations)
    rows = world.table("annotations").read().to_pylist()
    return sorted(row["choices"] for row in rows if row["state"] == "active")


def test_a_label_that_nobody_used_may_go_and_another_come(tmp_path: Path):
    world = asking(answered(tmp_path), "1", "2", "3")
    assert changes(world) == {"set label_config": 1}
    push(world)
    assert 'value="3"' in world.label_studio.project(the_project(world))["label_config"]


@pytest.mark.parametrize(
    ("labels", "question", "lost"),
    [
        (("0", "2"), {}, {"label '1' of question 'digit'": 2}),
        (("0", "3"), {}, {"label '1' of question 'digit'": 2, "label '2' of question 'digit'": 1}),
        (("0", "1", "2"), {"name": "number"}, {"question 'digit'": 3}),
        ((), {"type": "text", "labels": []}, {"question 'digit' as <Choices> about 'image'": 3}),
    ],
)
def test_an_interface_that_would_lose_answers_is_refused_with_what_and_how_many(tmp_path, labels, question, lost):
    world = asking(answered(tmp_path), *labels, **question)
    before = world.label_studio.project(the_project(world))
    assert survey(world).lost == lost
    with pytest.raises(DecisionNeeded, match="renamed_from"):
        push(world)
    assert world.label_studio.project(the_project(world)) == before


def test_several_choices_cannot_become_one(tmp_path: Path):
    world = asking(pushed(tmp_path), "0", "1", "2", multiple=True)
    push(world)
    both = [{"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": ["0", "1"]}}]
    answer(world, 0, result=both)
    assert survey(asking(world, "0", "1", "2")).lost == {"several choices for question 'digit'": 1}


def test_renamed_questions_and_labels_are_renamed_in_the_answers_and_their_labels_stay(tmp_path: Path):
    world = answered(tmp_path)
    labels = ("0", {"value": "one", "renamed_from": "1"}, "2")
    asking(world, *labels, name="number", renamed_from="digit")
    assert changes(world) == {"set label_config": 1, "rename in answers": 3}
    assert push(world)["renamed"] == 3
    assert given(world) == [["2"], ["one"], ["one"]]
    assert changes(world) == changes(world, full=True) == {}


def test_a_renamed_question_has_one_label_for_each_unit_under_its_new_name(tmp_path: Path):
    world = answered(tmp_path)
    under_lease(world, "consensus", resolve_labels)
    asking(world, "0", {"value": "one", "renamed_from": "1"}, "2", name="number", renamed_from="digit")
    push(world)
    collect(world)
    assert under_lease(world, "consensus", resolve_labels).counts["withdrawn"] == 3
    rows = world.table("labels").read().sort_by("unit_id").to_pylist()
    assert [(row["control"], row["label"]) for row in rows] == [("number", "one"), ("number", "one"), ("number", "2")]


def test_an_answer_that_comes_in_the_old_names_from_an_open_page_is_renamed_by_the_next_push(tmp_path: Path):
    world = answered(tmp_path)
    asking(world, "0", {"value": "one", "renamed_from": "1"}, "2")
    push(world)
    answer(world, 3, value="1")
    assert changes(world) == {"rename in answers": 1}
    push(world)
    assert given(world) == [["2"], ["one"], ["one"], ["one"]]


def test_what_is_pre_filled_follows_the_spec_and_its_names(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    predicted(world, "m1", {0: 0.9, 1: 0.8})
    push(world)
    respecified(world, predictions={"show": True})
    assert changes(world) == {"set show_collab_predictions": 1, "replace predictions": 2}
    push(world)
    asking(world, "0", "1", "2", name="number", renamed_from="digit")
    assert changes(world) == {"set label_config": 1, "replace predictions": 2}
    push(world)
    shown = [held["result"][0] for held in world.label_studio.all_predictions.values()]
    assert [(item["from_name"], item["value"]) for item in shown] == [("number", {"choices": ["1"]})] * 2
    assert changes(world) == changes(world, full=True) == {}


def test_blind_units_show_nothing_of_the_model_and_are_served_in_its_order_all_the_same(tmp_path: Path):
    world = chosen_round(tmp_path, n=2)
    predicted(world, "m1", {0: 0.9, 1: 0.8})
    respecified(world, predictions={"show": True, "blind_share": 1.0})
    push(world)
    held = world.label_studio.all_predictions.values()
    assert [(prediction["result"], prediction["model_version"]) for prediction in held] == [([], "m1")] * 2
    assert changes(world) == changes(world, full=True) == {}
    respecified(world, predictions={"show": True, "blind_share": 0.0})
    assert changes(world) == {"replace predictions": 2}


def test_an_answer_edited_while_a_plan_is_carried_out_keeps_its_edit_and_one_withdrawn_is_left_out(tmp_path: Path):
    world = answered(tmp_path)
    edited, withdrawn = answer(world, 3, "bob", value="1"), answer(world, 2, "bob", value="1")
    asking(world, "0", {"value": "one", "renamed_from": "1"}, "2")
    found = survey(world)
    person(world, "bob").edit(edited, choice("2"))
    person(world, "bob").withdraw(withdrawn)
    under_lease(world, "push", carry_out, found)
    assert given(world) == [["2"], ["2"], ["one"], ["one"]]


def test_killed_while_renaming_and_rerun_it_ends_as_the_clean_run(tmp_path: Path):
    clean = answered(tmp_path / "clean")
    asking(clean, "0", {"value": "one", "renamed_from": "1"}, "2")
    begun = copy_of(clean, tmp_path / "begun")
    push(clean)
    effects = 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, push), 1):
        assert changes(world) == {}, f"killed after effect {effects}"
        assert given(copy_of(world, tmp_path / f"given-{effects}")) == [["2"], ["one"], ["one"]]
    assert effects > 3


@pytest.fixture
def verbs(tmp_path, monkeypatch, labelloop):
    """The command line on a world in memory, flows called without Prefect."""
    world = chosen_round(tmp_path)
    monkeypatch.setattr(tasks.plan, "open_world", lambda _: world)
    monkeypatch.setattr(tasks.plan, "get_run_logger", lambda: logging.getLogger("plan"))
    monkeypatch.setattr(flows.reconcile, "plan_changes", lambda project, full: [tasks.plan.plan.fn(project, full)])
    return world, labelloop


def test_the_verb_plan_shows_counts_and_samples_and_ends_with_1_where_asked_to(verbs):
    world, labelloop = verbs
    code, out, _ = labelloop("plan", "digits", "--json")
    planned = json.loads(out)
    assert (code, planned["project"], world.label_studio.projects) == (0, "digits", {})
    assert {"change": "create tasks", "count": N, "sample": [hex_id(u) for u in range(5)]} in planned["changes"]
    assert labelloop("plan", "digits", "--check")[0] == 1
    push(world)
    code, out, _ = labelloop("plan", "digits", "--check")
    assert (code, "nothing to change" in out) == (0, True)


def test_the_verb_plan_ends_with_1_where_answers_would_be_lost(verbs):
    world, labelloop = verbs
    push(world)
    answer(world, 0)
    asking(world, "0", "2")
    code, out, _ = labelloop("plan", "digits")
    assert (code, "label '1' of question 'digit': 1" in out) == (1, True)


def test_a_spec_that_is_no_file_is_refused(labelloop):
    code, _, err = labelloop("plan", "absent.yaml")
    assert (code, "absent.yaml is no spec" in err) == (2, True)
