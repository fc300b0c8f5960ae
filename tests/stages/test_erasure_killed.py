"""An erasure killed after any one of its effects ends, when run again, where the unbroken one ends."""

from __future__ import annotations

import pytest

from tasks.erasure import carry_out_requests
from tests.builders.erasure_requests import ask, state_of
from tests.builders.labelled_project import labelled_project
from tests.fakes.faults import Faults, Killed, killed_after_each_effect
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import copy_of, make_world


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A world in which an erasure was asked for and not begun."""
    folder = tmp_path_factory.mktemp("asked")
    settings = {"projects_dir": folder, "lease_wait_seconds": 0}
    world = make_world(folder, settings=settings, label_studio=MemoryLabelStudio())
    labelled_project(world, 5)
    ask(world, subjects=["subject-03"], object_keys=["digits/subject-01/a.png"])
    return world


def erase(world, faults=None):
    carry_out_requests(faults.guard(world) if faults else world)


def test_killed_after_any_effect_the_next_run_ends_in_the_same_state(asked, tmp_path):
    unbroken = copy_of(asked, tmp_path)
    erase(unbroken)
    state, effects = state_of(unbroken), 0
    for effects, world in enumerate(killed_after_each_effect(asked, tmp_path, erase), 1):
        assert state_of(world) == state, f"killed after effect {effects}"
        assert world.label_studio.all_tasks.keys() == unbroken.label_studio.all_tasks.keys()
    assert effects > 30


def test_killed_before_its_first_effect_an_erasure_has_changed_nothing(asked, tmp_path):
    world = copy_of(asked, tmp_path)
    with pytest.raises(Killed):
        erase(world, Faults(1))
    assert state_of(world) == state_of(asked)
