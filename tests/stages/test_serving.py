"""What people are served: newcomers the onboarding set first, and nothing that tells a test from work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from labelloop.errors import SpecError
from labelloop.spec import load_spec
from labelloop.views import wanted_views
from tasks.adjudication import adjudicate_conflicts
from tasks.clients.rounds import current_round
from tasks.clients.world import World
from tests.builders.annotating import answer, collect, person, push, the_project
from tests.builders.chosen_round import chosen_round
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, write
from tests.fakes.world import under_lease


def onboarding(tmp_path: Path) -> World:
    """Unit 2 of three is the onboarding set."""
    world = chosen_round(tmp_path, n=3)
    row = {
        "unit_id": hex_id(2),
        "round": 1,
        "rank": 2,
        "stratum": "gold",
        "strategy": "onboarding",
        "queue_score": 0.0,
    }
    write(world, "batches", [row])
    write(
        world, "units", [{"unit_id": hex_id(2), "purpose": "pilot", "ref_ids": [hex_id(2)], "media_versions": ["v1"]}]
    )
    push(world)
    return world


def served(world: World, name: str) -> str:
    task = person(world, name).next_task(the_project(world))
    return task.unit_id if task else ""


def test_everybody_new_gets_the_onboarding_set_first_and_once(tmp_path: Path):
    world = onboarding(tmp_path)
    assert [served(world, name) for name in ("ann", "bob", "cis")] == [hex_id(2)] * 3
    answer(world, 2, "ann")
    assert served(world, "ann") == hex_id(0)
    collect(world)
    assert world.table("annotations").read()["opinion_reason"].to_pylist() == ["gold"]


def test_a_round_does_not_wait_for_newcomers(tmp_path: Path):
    world = onboarding(tmp_path)
    for unit in (0, 1):
        answer(world, unit, "ann")
    collect(world)
    assert current_round(world.hot, world.project).state == "closed"


def test_when_people_join_the_onboarding_set_is_opened_for_them(tmp_path: Path):
    world = onboarding(tmp_path)
    for name in ("ann", "bob", "cis", "dan"):
        answer(world, 2, name)
    collect(world)
    world.spec = world.spec.model_copy(update={"annotators": world.spec.annotators.model_copy(update={"count": 5})})
    under_lease(world, "adjudication", adjudicate_conflicts)
    assert served(world, "eve") == hex_id(2)
    assert served(world, "ann") == hex_id(0)


@pytest.mark.parametrize("purpose", ["audit", "gold", "repeat"])
def test_nothing_on_the_server_tells_a_test_from_work(tmp_path: Path, purpose: str):
    world = chosen_round(tmp_path, n=2)
    write(
        world, "units", [{"unit_id": hex_id(1), "purpose": purpose, "ref_ids": [hex_id(1)], "media_versions": ["v1"]}]
    )
    write(world, "batches", [{"unit_id": hex_id(1), "round": 1, "rank": 1, "stratum": purpose, "queue_score": 0.75}])
    push(world)
    server = world.label_studio
    tasks = sorted(server.all_tasks.values(), key=lambda task: task["data"]["unit"])
    predictions = {held["task"]: held for held in server.all_predictions.values()}

    def shown(task: dict) -> str:
        """All the server holds of it, numbers and times as one."""
        held = {name: value for name, value in task.items() if name != "locks"}
        entry = {name: value for name, value in predictions[task["id"]].items() if name != "task"}
        return re.sub(r"[0-9.]+", "0", str([held, entry]))

    assert shown(tasks[0]) == shown(tasks[1])
    assert purpose not in str([tasks, list(predictions.values())])


@pytest.mark.parametrize("parts", [2, 3, 16])
def test_tabs_for_people_who_label_as_displayed_share_the_tasks_without_a_rest(parts: int):
    shares = [{"title": f"Desk {n}", "part": n, "parts": parts} for n in range(1, parts + 1)]
    spec = load_spec(f"{SPEC}\nworkbench: {{views: {shares}}}\n")
    patterns = [view["filters"]["items"][0]["value"] for view in wanted_views(spec).values()]
    units = [f"{digit:x}{hex_id(7)[1:]}" for digit in range(16)]
    assert [sum(bool(re.match(pattern, unit)) for pattern in patterns) for unit in units] == [1] * 16


@pytest.mark.parametrize("part", ["part: 3, parts: 2", "part: 1", "parts: 2"])
def test_a_tab_that_is_no_part_of_its_parts_is_refused(part: str):
    with pytest.raises(SpecError, match="part"):
        load_spec(f"{SPEC}\nworkbench: {{views: [{{title: Desk, {part}}}]}}\n")
