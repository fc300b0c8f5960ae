"""Review: what annotators dispute comes before an expert with their answers, and the ruling flows back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from labelloop.errors import DecisionNeeded
from tasks.clients.world import World
from tasks.consensus import resolve_labels
from tasks.erasure.carry_out import carry_out_requests
from tasks.review import review_disputes
from tasks.rulings import collect_rulings
from tests.builders.annotating import answer, choice, collect, person, push, pushed, task_of
from tests.builders.digits import SPEC
from tests.builders.erasure_requests import ask, erasable_project
from tests.builders.labelled_project import N
from tests.builders.respecified import asking, changes
from tests.builders.rows import hex_id, write
from tests.fakes.faults import Faults, killed_after_each_effect
from tests.fakes.world import under_lease

REVIEWED = SPEC.replace("annotators: {count: 4}", "annotators: {count: 2, experts: 1}").replace(
    "maximum: 4", "maximum: 2"
)


def review(world: World, faults: Faults | None = None) -> dict[str, int]:
    return under_lease(faults.guard(world) if faults else world, "review", review_disputes).counts


def consensus(world: World) -> None:
    under_lease(world, "consensus", resolve_labels)


def labels(world: World) -> dict[str, dict[str, Any]]:
    return {row["unit_id"]: row for row in world.table("labels").read().to_pylist()}


def disputed(tmp_path: Path, share: float = 0.0, **settings: Any) -> World:
    """Two annotators disagree on unit 1 and agree on units 0 and 2; nobody else is there to ask."""
    given = {"experts": ("expert@labelloop.test",), **settings}
    world = pushed(
        tmp_path,
        n=3,
        spec=f"{REVIEWED}\nreview: {{share: {share}}}\nconsensus: {{method: majority}}\n",
        settings=given,
    )
    for unit, second in enumerate("121"):
        answer(world, unit, "ann", "1")
        answer(world, unit, "bob", second)
    collect(world)
    consensus(world)
    return world


def cases(world: World) -> list[dict]:
    """The tasks of the reviewing project, in the order of its queue."""
    server, number = world.label_studio, world.hot.get("label-studio/digits-review.json").value["ls_project"]
    expert = person(world, "expert").user_id
    return [server.all_tasks[task] for task in server.queue(number, expert)]


def rule(world: World, task: dict, value: str | list[dict], who: str = "expert") -> None:
    said = choice(value) if isinstance(value, str) else value
    person(world, who).submit(task["id"], said, lead_time=2.0, key=f"{who}-{task['id']}")
    under_lease(world, "rulings", collect_rulings)
    consensus(world)


def test_a_conflict_comes_before_an_expert_with_the_competing_answers_and_their_pseudonyms(tmp_path: Path):
    world = disputed(tmp_path)
    assert review(world) == {"cases": 1, "created": 1, "refused": 0}
    (case,) = cases(world)
    said = case["data"]["competing_answers"]
    people = {row["annotator"] for row in world.table("annotators").read().to_pylist()}
    assert set(said) == {f"digit · {who}" for who in people}
    assert sorted(said.values()) == ["1", "2"]
    assert case["data"] | {"competing_answers": {}} == {
        "unit": hex_id(1),
        "ref": hex_id(1),
        "image": "s3://media/digits/1/a.png",
        "competing_answers": {},
    }
    config = world.label_studio.projects[case["project"]]["label_config"]
    assert config.index("$competing_answers") < config.index("$image")


def test_the_ruling_flows_back_as_the_label_an_expert_decided(tmp_path: Path):
    world = disputed(tmp_path)
    assert labels(world)[hex_id(1)]["state"] == "conflict"
    review(world)
    rule(world, cases(world)[0], "2")
    found = labels(world)[hex_id(1)]
    assert (found["label"], found["decided_by"], found["state"]) == ("2", "expert", "accepted")
    assert review(world) == {"cases": 0, "created": 0, "refused": 0}


def box(left: float) -> list[dict]:
    place = {"x": left, "y": 0.0, "width": 20.0, "height": 20.0, "rotation": 0, "rectanglelabels": ["1"]}
    return [{"id": "r", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": place}]


def test_boxes_that_hardly_overlap_come_before_an_expert_whose_box_is_the_label(tmp_path: Path):
    spec = REVIEWED.replace("name: digit, type: choices", "name: box, type: rectangle")
    spec = f"{spec}\nreview: {{share: 0.0}}\n".replace("source: trainer", "source: none")
    world = pushed(tmp_path, n=2, spec=spec, settings={"experts": ("expert@labelloop.test",)})
    for unit, second in enumerate((15.0, 1.0)):
        answer(world, unit, "ann", result=box(0.0))
        answer(world, unit, "bob", result=box(second))
    collect(world)
    consensus(world)
    assert {unit: row["state"] for unit, row in labels(world).items()} == {
        hex_id(0): "conflict",
        hex_id(1): "accepted",
    }
    assert review(world)["cases"] == 1
    rule(world, cases(world)[0], box(7.0))
    found = labels(world)[hex_id(0)]
    assert (found["label"], found["decided_by"], found["state"], found["n"]) == ('["1"]', "expert", "accepted", 2)
    assert found["regions"][0]["points"] == [7.0, 0.0, 20.0, 20.0]


def test_who_is_no_expert_rules_nothing_in_the_reviewing_project_and_takes_no_case_from_the_expert(tmp_path: Path):
    world = disputed(tmp_path)
    review(world)
    (case,) = cases(world)
    for who in ("ann", "bob"):
        rule(world, case, "2", who=who)
        assert labels(world)[hex_id(1)]["state"] == "conflict"
        assert cases(world) == []
        assert review(world) == {"cases": 0, "created": 0, "refused": 0}
        assert [again["id"] for again in cases(world)] == [case["id"]]
    rule(world, case, "1")
    assert labels(world)[hex_id(1)]["decided_by"] == "expert"
    review(world)
    assert cases(world) == []


def test_what_an_expert_skipped_is_not_asked_again(tmp_path: Path):
    world = disputed(tmp_path)
    review(world)
    (case,) = cases(world)
    person(world, "expert").skip(case["id"])
    under_lease(world, "rulings", collect_rulings)
    review(world)
    assert cases(world) == []


def test_a_share_of_what_annotators_agree_on_is_reviewed_too_and_conflicts_come_first(tmp_path: Path):
    world = disputed(tmp_path, share=1.0)
    assert review(world)["cases"] == 3
    assert cases(world)[0]["data"]["unit"] == hex_id(1)
    reasons = {row["unit_id"]: row["reason"] for row in world.reviewing().table("batches").read().to_pylist()}
    assert reasons == {hex_id(0): "sample", hex_id(1): "conflict", hex_id(2): "sample"}


def test_what_everybody_says_in_own_words_is_no_dispute(tmp_path: Path):
    """Two annotators agree on the digit, each for a reason of their own."""
    reason = '{name: why, type: text, prompt: "Why?"}'
    asked = REVIEWED.replace('{value: "2"}]}', '{value: "2"}]}\n    - ' + reason + "\n  remarks: [why]", 1)
    world = pushed(tmp_path, n=1, spec=f"{asked}\nreview: {{share: 0.0}}\n")
    for who, words in (("ann", "a round top"), ("bob", "it has two bends")):
        said = {"from_name": "why", "to_name": "image", "type": "textarea", "value": {"text": [words]}}
        answer(world, 0, who, result=[*choice("1"), said])
    collect(world)
    consensus(world)
    found = {row["control"]: row for row in world.table("labels").read().to_pylist()}
    assert {name: row["state"] for name, row in found.items()} == {"digit": "accepted", "why": "accepted"}
    assert found["why"]["label"] == "a round top"
    assert [question.name for question in world.spec.interface.compared] == ["digit"]
    assert review(world) == {"cases": 0, "created": 0, "refused": 0}


def test_an_open_case_shows_what_annotators_say_now(tmp_path: Path):
    world = disputed(tmp_path)
    asked = world.label_studio.all_tasks[task_of(world, 1)]
    review(world)
    (case,) = cases(world)
    ann = person(world, "ann")
    (mine,) = [annotation["id"] for annotation in asked["annotations"] if annotation["completed_by"] == ann.user_id]
    ann.edit(mine, choice("0"))
    collect(world)
    consensus(world)
    review(world)
    (now,) = cases(world)
    assert sorted(now["data"].pop("competing_answers").values()) == ["0", "2"]
    assert now["data"].items() <= case["data"].items()


def test_without_experts_nobody_is_asked_to_rule(tmp_path: Path):
    world = disputed(tmp_path)
    world.spec = world.spec.model_copy(update={"annotators": world.spec.annotators.model_copy(update={"experts": 0})})
    assert review(world) == {}
    assert world.hot.get("label-studio/digits-review.json") is None


def test_rulings_take_new_names_with_the_answers_and_decide_the_same_night(tmp_path: Path):
    world = disputed(tmp_path)
    review(world)
    rule(world, cases(world)[0], "2")
    labelled = ({"value": "one", "renamed_from": "1"}, {"value": "two", "renamed_from": "2"})
    asking(world, "0", *labelled, name="number", renamed_from="digit")
    assert changes(world) == {
        "set label_config": 1,
        "rename in answers": 6,
        "set label_config (review)": 1,
        "rename in answers (review)": 1,
    }
    assert push(world)["renamed"] == 7
    assert changes(world) == changes(world, full=True) == {}
    collect(world)
    under_lease(world, "rulings", collect_rulings)
    consensus(world)
    found = labels(world)[hex_id(1)]
    assert (found["control"], found["label"], found["decided_by"]) == ("number", "two", "expert")
    assert review(world) == {"cases": 0, "created": 0, "refused": 0}


def test_an_interface_that_would_lose_a_ruling_alone_is_refused_before_anything_changes(tmp_path: Path):
    world = disputed(tmp_path)
    review(world)
    rule(world, cases(world)[0], "0")
    asking(world, "1", "2")
    with pytest.raises(DecisionNeeded, match="label '0' of question 'digit': 1 answers"):
        push(world)
    assert changes(world) == {"set label_config": 1, "set label_config (review)": 1}


def test_erasure_finds_the_reviewing_project_once_it_is_there(tmp_path: Path):
    world = disputed(tmp_path)
    world.settings = world.settings.model_copy(update={"projects_dir": tmp_path / "no-others"})
    assert [each.project for each in world.neighbours()] == ["digits"]
    review(world)
    assert [each.project for each in world.neighbours()] == ["digits", "digits-review"]


def test_killed_after_any_effect_and_rerun_each_case_is_one_task(tmp_path: Path):
    begun, effects = disputed(tmp_path / "begun"), 0
    for effects, world in enumerate(killed_after_each_effect(begun, tmp_path, review), 1):
        assert [case["data"]["unit"] for case in cases(world)] == [hex_id(1)], f"killed after effect {effects}"
        assert len(cases(world)[0]["data"]["competing_answers"]) == 2
        assert review(world) == {"cases": 0, "created": 0, "refused": 0}
    assert effects > 5


def test_what_is_erased_goes_from_the_reviewing_project_too(tmp_path: Path):
    world = erasable_project(tmp_path)
    made, spec = world.labelled, world.spec
    world.spec = spec.model_copy(
        update={
            "annotators": spec.annotators.model_copy(update={"experts": 1}),
            "review": spec.review.model_copy(update={"share": 1.0}),
        }
    )
    answered = [row | {"state": "answered"} for row in world.table("tasks").read().to_pylist()]
    write(world, "tasks", answered)
    before = review(world)["cases"]
    ask(world, subjects=["subject-03"])
    assert carry_out_requests(world).counts["done"] == 1
    gone = {made.unit_ids[3], made.unit_ids[N]}
    for table in ("units", "batches", "tasks"):
        left = {row["unit_id"] for row in world.reviewing().table(table).read().to_pylist()}
        assert len(left) == before - len(gone)
        assert not left & gone
    assert not gone & {task["data"]["unit"] for task in world.label_studio.all_tasks.values()}
