"""Lifting: suppression and restriction end at once and for good; what is erased comes back only as something new."""

from __future__ import annotations

import pytest

from labelloop.erasure.decisions import officer
from labelloop.errors import InputError
from tasks.clients.erasures import Erasures
from tasks.erasure.audit import preview_requests
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.lift import lift_requests
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_world
from tests.fakes.faults import killed_after_each_effect
from tests.fakes.world import copy_of, under_lease

PNG = b"\x89PNG\r\n\x1a\n"
KEYS = [f"digits/{name}/1.png" for name in ("anna", "bert", "carl")]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    made = erasable_world(tmp_path_factory.mktemp("template"))
    made.spec = made.spec.model_copy(
        update={"erasure": made.spec.erasure.model_copy(update={"max_objects_without_approval": 1})}
    )
    for key in KEYS:
        made.media.write("media", key, PNG, content_type="image/png")
    sync(made)
    return made


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def sync(world):
    counts = under_lease(world, "sync", sync_references).counts
    return {kind: counts[kind] for kind in ("added", "suppressed") if counts[kind]}


def lift(world, name, reason="mistake"):
    return lift_requests(world, name, officer("Mia", world.keys), reason)


def states(world):
    return {row["key"]: row["state"] for row in world.table("references").read().to_pylist()}


def record(world, request_id):
    (found,) = Erasures(world.hot, world.vault).of(request_id)
    return found


def test_a_request_that_waits_is_lifted_as_if_it_had_never_been(world):
    request_id = ask(world, subjects=["anna", "bert"])
    before = states(world)
    assert carry_out_requests(world).counts["waiting"] == 1
    assert states(world) != before
    assert lift(world, request_id).counts == {"requests": 1, "suppressions": 2, "references": 2}
    assert states(world) == before
    assert carry_out_requests(world).counts["waiting"] == 0
    assert sync(world) == {}
    assert record(world, request_id).state == "lifted"
    assert [key for key in world.vault.keys("") if "erasure/" in key and "receipt" not in key] == []
    assert world.hot.keys("erasure/plans/") == []


def test_what_is_erased_stays_erased_and_what_comes_again_is_a_new_reference(world):
    before = world.table("references").read().to_pylist()
    request_id = ask(world, subjects=["anna"])
    carry_out_requests(world)
    world.media.write("media", KEYS[0], PNG, content_type="image/png")
    assert sync(world) == {"suppressed": 1}
    assert lift(world, request_id, "renewed-consent").counts == {"requests": 1, "suppressions": 1, "references": 0}
    assert sync(world) == {"added": 1}
    (again,) = [row for row in world.table("references").read().to_pylist() if row["key"] == KEYS[0]]
    assert again["ref_id"] not in {row["ref_id"] for row in before}
    assert sync(world) == {}


def test_the_decision_is_kept_with_reason_time_and_a_pseudonym(world):
    request_id = ask(world, subjects=["anna"])
    lift(world, request_id, "renewed-consent")
    (event,) = record(world, request_id).history
    assert (event.what, event.reason, event.at) == ("lifted", "renewed-consent", world.now())
    assert event.by == officer("Mia", world.keys).pseudonym
    rows = world.table("suppressions").read().to_pylist()
    assert all(row["lifted_at"] == world.now() for row in rows)


def test_what_another_request_names_too_stays_suppressed_and_restricted(world):
    first = ask(world, subjects=["anna", "bert"])
    ask(world, subjects=["bert", "carl"])
    assert carry_out_requests(world).counts["waiting"] == 2
    assert lift(world, first).counts["references"] == 1
    assert states(world) == dict(zip(KEYS, ["active", "restricted", "restricted"], strict=True))
    world.media.write("media", "digits/bert/2.png", PNG, content_type="image/png")
    world.media.write("media", "digits/anna/2.png", PNG, content_type="image/png")
    assert sync(world) == {"added": 1, "suppressed": 1}


def test_a_blocked_request_is_lifted_and_its_held_media_counts_again(world):
    held = world.media.versions("media", KEYS[0])[0].version_id
    world.media.put_legal_hold("media", KEYS[0], held, on=True)
    request_id = ask(world, subjects=["anna"])
    assert carry_out_requests(world).counts["blocked"] == 1
    assert lift(world, request_id).counts["references"] == 1
    assert states(world)[KEYS[0]] == "active"


def test_an_erasure_that_has_begun_is_not_lifted_by_half(world):
    request_id = ask(world, subjects=["anna"])
    world.media.lies["media"] = 10**6
    with pytest.raises(Exception, match="S3 still lists"):
        carry_out_requests(world)
    with pytest.raises(InputError, match="has begun to delete"):
        lift(world, request_id)
    assert not [row for row in world.table("suppressions").read().to_pylist() if row["lifted_at"]]
    world.media.lies["media"] = 0
    carry_out_requests(world)
    assert lift(world, request_id).counts["suppressions"] == 1


def test_an_erasure_that_was_approved_and_has_begun_is_not_lifted_by_half(world):
    request_id = ask(world, subjects=["anna", "bert"])
    carry_out_requests(world)
    Erasures(world.hot, world.vault).change(request_id, approved=True)
    world.media.lies["media"] = 10**6
    with pytest.raises(Exception, match="S3 still lists"):
        carry_out_requests(world)
    with pytest.raises(InputError, match="has begun to delete"):
        lift(world, request_id)


def test_an_unknown_request_is_named(world):
    with pytest.raises(InputError, match="no such erasure request"):
        lift(world, "f" * 32)


def test_a_preview_leaves_out_what_was_lifted(world):
    request_id = ask(world, subjects=["anna"])
    assert len(preview_requests(world)) == 1
    lift(world, request_id)
    assert preview_requests(world) == []


def test_killed_after_any_effect_and_run_again_a_lift_is_whole(template, tmp_path):
    begun = copy_of(template, tmp_path / "begun")
    request_id = ask(begun, subjects=["anna", "bert"])
    carry_out_requests(begun)

    def step(world, faults=None):
        lift(faults.guard(world) if faults else world, request_id)

    kills = 0
    for kills, world in enumerate(killed_after_each_effect(begun, tmp_path, step), 1):
        assert set(states(world).values()) == {"active"}, f"killed after effect {kills}"
        assert all(row["lifted_at"] for row in world.table("suppressions").read().to_pylist())
        found = record(world, request_id)
        assert (found.state, found.payload, len(found.history)) == ("lifted", None, 1)
        assert world.vault.keys("keys/erasure/") == []
    assert kills >= 5
