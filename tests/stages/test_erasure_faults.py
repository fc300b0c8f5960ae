"""An erasure that fails at any call outside, however it fails, ends when run again where the unbroken one ends."""

from __future__ import annotations

import itertools
import json
import random
from contextlib import contextmanager, suppress

import pytest

from labelloop.errors import LabelloopError, LeaseHeld, UnavailableError
from tasks.clients.erasures import Erasures
from tasks.clients.lease import Lease
from tasks.clients.receipts import receipts
from tasks.erasure.audit import audit_erasures
from tasks.erasure.carry_out import carry_out_requests
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_world, state_of
from tests.builders.labelled_project import PNG, key_of, labelled_project
from tests.fakes.faults import Faults, Killed, is_effect, kill, lose_connection
from tests.fakes.hot import expire_leases
from tests.fakes.world import copy_of, under_lease

# How a call can fail, on which side of its effect, and which calls are tried: where nothing changes outside, before
# and after are the same to a client, and a kill is one behind the last change.
MODES = {
    "lost before its effect": (lose_connection, False, bool),
    "reply lost": (lose_connection, True, is_effect),
    "killed": (kill, True, is_effect),
}
PARTS = 4  # of the matrix, so that cores can share it


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A world in which an erasure was asked for and not begun."""
    world = erasable_world(tmp_path_factory.mktemp("asked"))
    labelled_project(world, 5)
    ask(world, subjects=["subject-03"], object_keys=[key_of(1)])
    return world


@pytest.fixture(scope="module")
def unbroken(asked):
    """What an erasure leaves that nothing disturbs, and the calls it makes."""
    world, faults = copy_of(asked), Faults(effects_only=False)
    carry_out_requests(faults.guard(world))
    return end_of(world), faults.calls


def end_of(world):
    """Everything outside, and what the receipts say was found."""
    return state_of(world) | {"found": [json.loads(receipt.payload)["sinks"] for receipt in receipts(world.lake)]}


def broken(world, faults):
    """Run an erasure into its fault, then let the time of its leases pass."""
    with suppress(Killed, UnavailableError):
        carry_out_requests(faults.guard(world))
    expire_leases(world.hot)


def effects(unbroken):
    """The numbers of the calls that change something."""
    return [at for at, call in enumerate(unbroken[1], 1) if is_effect(call)]


def differences(asked, unbroken, mode, calls):
    """Return the calls after whose failure a second run does not end where the unbroken one does."""
    strike, after, _ = MODES[mode]
    found = {}
    for at in calls:
        world = copy_of(asked)
        broken(world, Faults(at, after=after, strike=strike, effects_only=False))
        carry_out_requests(world)
        end = end_of(world)
        if end != unbroken[0]:
            found[at, unbroken[1][at - 1]] = [place for place in end if end[place] != unbroken[0][place]]
    return found


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("mode", MODES)
def test_failing_at_any_call_the_next_run_ends_in_the_same_state(asked, unbroken, mode, part, record_property):
    calls = [at for at, call in enumerate(unbroken[1], 1) if MODES[mode][2](call)]
    assert differences(asked, unbroken, mode, calls[part::PARTS]) == {}
    if part == 0:
        told = f"{len(unbroken[1])} calls outside, {mode} at each of the {len(calls)} where it matters: same end"
        record_property("figure", f"erasure: {told}")


def test_killed_before_its_first_effect_an_erasure_has_changed_nothing(asked):
    world = copy_of(asked)
    with pytest.raises(Killed):
        carry_out_requests(Faults(1).guard(world))
    assert state_of(world) == state_of(asked)


def test_without_the_journal_a_kill_leaves_another_end(asked, unbroken, monkeypatch):
    monkeypatch.setattr(Erasures, "plan", lambda *_: None)
    monkeypatch.setattr(Erasures, "freeze", lambda *_: None)
    assert differences(asked, unbroken, "killed", effects(unbroken)[::10])


def second_run_at(asked, at, before=None):
    """Run an erasure within which, at one of its calls, another run of the same erasure takes place."""
    world = copy_of(asked)

    def other_run(_):
        if before:
            before(world.hot)
        with suppress(LeaseHeld):
            carry_out_requests(world)

    with suppress(LabelloopError):
        carry_out_requests(Faults(at, strike=other_run, effects_only=False).guard(world))
    expire_leases(world.hot)
    carry_out_requests(world)
    return end_of(world)


def test_a_second_run_at_any_moment_changes_nothing_and_issues_no_second_receipt(asked, unbroken, record_property):
    calls = effects(unbroken)
    assert [at for at in calls if second_run_at(asked, at) != unbroken[0]] == []
    record_property("figure", f"two runs of one erasure: {len(calls)} moments, one receipt each")


def test_a_run_that_was_overtaken_changes_nothing_more(asked, unbroken):
    assert [at for at in effects(unbroken) if second_run_at(asked, at, before=expire_leases) != unbroken[0]] == []


def test_without_the_lease_a_second_run_is_noticed(asked, unbroken, monkeypatch):
    @contextmanager
    def nobody_waits(world):
        yield Lease("erasure", 1, "", world.hot, 60, lambda: 0, None)

    monkeypatch.setattr("tasks.erasure.carry_out.erasing", nobody_waits)
    monkeypatch.setattr(Lease, "check", lambda _: None)
    assert [at for at in effects(unbroken)[::8] if second_run_at(asked, at) != unbroken[0]]


@pytest.mark.parametrize("key", [key_of(3), "digits/subject-03/late.png"], ids=["same key", "same subject"])
def test_an_upload_during_an_erasure_goes_or_is_refused(asked, unbroken, key):
    for at in effects(unbroken)[::3]:
        world = copy_of(asked)
        faults = Faults(
            at,
            strike=lambda _, media=world.media: media.write("media", key, PNG, content_type="image/png"),
            effects_only=False,
        )
        with suppress(UnavailableError):
            carry_out_requests(faults.guard(world))
        carry_out_requests(world)
        under_lease(world, "sync", sync_references)
        left = len(world.media.versions("media", key))
        assert left <= 1, f"uploaded at call {at}"
        assert key not in world.table("references").read()["key"].to_pylist(), f"uploaded at call {at}"
        assert audit_erasures(world).counts["offered"] == left
        assert len(receipts(world.lake)) == 1


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("share", [0.01, 0.03])
def test_while_any_call_may_fail_an_erasure_gets_on_and_ends_in_the_same_state(asked, unbroken, share, seed):
    world, chance = copy_of(asked), random.Random(seed)
    for after in itertools.islice(itertools.cycle([False, True]), 200):
        broken(
            world, Faults(lambda _: chance.random() < share, after=after, strike=lose_connection, effects_only=False)
        )
        if receipts(world.lake):
            break
    carry_out_requests(world)
    assert end_of(world) == unbroken[0]


@pytest.mark.parametrize("share", [0.01, 0.1, 0.25, 0.5])
def test_no_receipt_is_issued_while_the_server_keeps_what_it_said_it_deleted(asked, share, record_property):
    erasures = 8
    for seed in range(erasures):
        world, chance = copy_of(asked), random.Random(seed)
        delete = world.media.delete_versions

        def errors_within_an_answer_of_success(bucket, key, versions, delete=delete, chance=chance):
            delete(bucket, key, [version for version in versions if chance.random() >= share])

        world.media.delete_versions = errors_within_an_answer_of_success
        while not receipts(world.lake):
            with suppress(UnavailableError):
                carry_out_requests(world)
        assert not [key for key in (key_of(1), key_of(3)) if world.media.versions("media", key)], f"seed {seed}"
    record_property("figure", f"{share:.0%} errors within answers of success: 0 of {erasures} receipts too early")
