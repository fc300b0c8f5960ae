"""However Label Studio fails while tasks are pushed to it: at rest none is there twice and none is missing.

Beside it the same faults met by a script that sends again what got no answer: they leave doubles.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest

from labelloop.errors import UnavailableError
from labelloop.interface import build
from tests.builders.annotating import push, the_project
from tests.builders.chosen_round import N, chosen_round
from tests.builders.naive_import import import_until_answered
from tests.builders.rows import hex_id
from tests.fakes.faults import Faults, Killed, kill, lose_connection
from tests.fakes.hot import expire_leases
from tests.fakes.world import copy_of

BATCH = 3
ONCE = {hex_id(unit): 1 for unit in range(N)}
# How a request can end, and on which side of its effect: 503 or a refused connection; a time-out, a reset or half an
# answer to what was done; the end of the client; the restart of the server, which takes imports whole or not at all.
MODES = {
    "nothing arrived": (lose_connection, False),
    "done and not answered": (lose_connection, True),
    "killed": (kill, True),
}


@pytest.fixture(scope="module")
def chosen(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.task_import._BATCH", BATCH)  # so that an import can break off in its middle
        yield chosen_round(tmp_path_factory.mktemp("chosen"))


def at_rest(world):
    """How often each unit is on the server."""
    return Counter(task["data"]["unit"] for task in world.label_studio.all_tasks.values())


def broken_off(run, chosen, mode):
    """Yield each request of a run, with the world after it broke there and was run again."""
    strike, after = MODES[mode]
    undisturbed = Faults(effects_only=False)
    run(copy_of(chosen), undisturbed)
    for at, call in enumerate(undisturbed.calls, 1):
        if call.startswith("MemoryLabelStudio."):
            world = copy_of(chosen)
            with suppress(Killed, UnavailableError):
                run(world, Faults(at, after=after, strike=strike, effects_only=False))
            expire_leases(world.hot)
            run(world, Faults(effects_only=False))
            yield call, world


def script(world, faults):
    """Import every task as a short script would: again, when there was no answer."""
    settings = {"description": "script", "label_config": build(world.spec.interface)}
    project = world.label_studio.find_project("script") or world.label_studio.create_project(settings)
    tasks = [{"data": {"unit": hex_id(unit), "image": f"s3://media/{unit}"}} for unit in range(N)]
    import_until_answered(faults.guard(world).label_studio, project, tasks, BATCH)


@pytest.mark.parametrize("mode", MODES)
def test_wherever_it_breaks_off_each_unit_has_one_task_at_rest_and_the_lake_knows_it(chosen, mode, record_property):
    ends = list(broken_off(push, chosen, mode))
    assert [call for call, world in ends if at_rest(world) != ONCE] == []
    for call, world in ends:
        known = world.table("tasks").read()["task_id"].to_pylist()
        assert sorted(known) == sorted(world.label_studio.task_ids(the_project(world))), call
    assert sum("import_tasks" in call for call, _ in ends) == -(-N // BATCH)
    record_property("figure", f"push, {mode}: {len(ends)} requests to Label Studio, 0 doubles, 0 lost")


@pytest.mark.parametrize("mode", sorted(MODES.keys() - {"nothing arrived"}))
def test_a_script_that_sends_again_what_got_no_answer_leaves_doubles(chosen, mode, record_property):
    ends = [at_rest(world) for _, world in broken_off(script, chosen, mode)]
    doubled = sum(end != ONCE for end in ends)
    assert doubled == len(ends) > 1
    record_property("figure", f"a script that sends again, {mode}: doubles after {doubled} of {len(ends)} imports")


def test_an_import_that_arrives_after_the_next_push_is_taken_back_by_the_one_behind_it(chosen):
    world, late = copy_of(chosen), []
    carry_out = world.label_studio.import_tasks

    def time_out(*given):
        late.append(given)
        raise UnavailableError("no answer in time")

    world.label_studio.import_tasks = time_out
    with pytest.raises(UnavailableError):
        push(world)
    world.label_studio.import_tasks = carry_out
    push(world)
    carry_out(*late[0])
    assert at_rest(world) != ONCE
    push(world)
    assert at_rest(world) == ONCE


def test_tasks_of_an_overtaken_run_that_arrive_meanwhile_are_not_taken_for_ones_own(chosen):
    """The server is busy with the import of an overtaken run, so it fails ours, then shows that run's tasks."""
    world = copy_of(chosen)
    carry_out, is_busy = world.label_studio.import_tasks, iter([True])

    def import_tasks(project, tasks):
        if not next(is_busy, False):
            return carry_out(project, tasks)
        overtaken = [{**task["predictions"][0], "model_version": "cold-start-0"} for task in tasks]
        carry_out(project, [task | {"predictions": [old]} for task, old in zip(tasks, overtaken, strict=True)])
        raise UnavailableError("database is locked")

    world.label_studio.import_tasks = import_tasks
    push(world)
    settings = world.label_studio.project(the_project(world))
    assert settings["model_version"] == "cold-start-1"
    push(world)
    assert at_rest(world) == ONCE
    assert {held["model_version"] for held in world.label_studio.all_predictions.values()} == {"cold-start-1"}
