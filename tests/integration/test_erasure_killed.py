"""An erasure killed after any one of its effects ends, when run again, where the unbroken one ends."""

from __future__ import annotations

import pytest

from tasks.erasure import carry_out_requests
from tests.builders.erasure_requests import ask, state_of
from tests.builders.labelled_project import labelled_project
from tests.fakes.faults import Faults, Killed
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.world import make_world

pytestmark = pytest.mark.integration  # no server, but some minutes of Delta commits
_SHARES = 4


def prepared(folder, faults):
    world = make_world(
        folder, settings={"projects_dir": folder, "lease_wait_seconds": 0}, label_studio=MemoryLabelStudio()
    )
    labelled_project(world, 5)
    ask(world, subjects=["subject-03"], object_keys=["digits/subject-01/a.png"])
    return faults.guard(world)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    faults = Faults()
    world = prepared(tmp_path_factory.mktemp("unbroken"), faults)
    carry_out_requests(world)
    return len(faults.effects), state_of(world), set(world.label_studio.all_tasks)


@pytest.mark.parametrize("share", range(_SHARES))
def test_killed_after_any_effect_the_next_run_ends_in_the_same_state(unbroken, tmp_path, share):
    effects, state, tasks = unbroken
    assert effects > 30
    for at in range(1 + share, effects + 1, _SHARES):
        faults = Faults(at, after=True)
        world = prepared(tmp_path / str(at), faults)
        with pytest.raises(Killed):
            carry_out_requests(world)
        carry_out_requests(world)
        assert state_of(world) == state, f"killed after effect {at}, {faults.effects[at - 1]}"
        assert set(world.label_studio.all_tasks) == tasks


def test_killed_before_its_first_effect_an_erasure_has_changed_nothing(tmp_path):
    world = prepared(tmp_path, Faults(1))
    before = state_of(world)
    with pytest.raises(Killed):
        carry_out_requests(world)
    assert state_of(world) == before
