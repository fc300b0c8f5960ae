"""Keys of suppressions: old ones verify only, and no flow that reads suppressions starts without all of them."""

from __future__ import annotations

import pytest

from labelloop.erasure.decisions import officer
from labelloop.errors import SuppressionKeyError
from labelloop.identity import KeyRing
from tasks.erasure.audit import audit_erasures, preview_requests
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.lift import lift_requests
from tasks.erasure.replay import replay_suppressions
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_world, state_of
from tests.fakes.world import copy_of, under_lease

PNG = b"\x89PNG\r\n\x1a\n"
OLD, NEW, OTHER = bytes(range(32)), b"n" * 32, b"o" * 32
ROTATED = KeyRing({"k1": OLD, "k2": NEW}, current="k2")
FLOWS = {
    "sync": lambda world: under_lease(world, "sync", sync_references),
    "erase": carry_out_requests,
    "erase-plan": preview_requests,
    "erasure-audit": audit_erasures,
    "erase-replay": replay_suppressions,
    "erasure-lift": lambda world: lift_requests(world, "0" * 32, officer("Mia", world.keys), "mistake"),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A lake with a suppression of the old key and one of the new key, and with a request to carry out."""
    world = erasable_world(tmp_path_factory.mktemp("template"))
    for name in ("anna", "bert", "carl"):
        world.media.write("media", f"digits/{name}/1.png", PNG, content_type="image/png")
    FLOWS["sync"](world)
    ask(world, subjects=["anna"])
    carry_out_requests(world)
    world.keys = ROTATED
    ask(world, subjects=["bert"])
    carry_out_requests(world)
    ask(world, subjects=["carl"])
    return world


@pytest.fixture
def world(template, tmp_path):
    return copy_of(template, tmp_path)


def test_after_a_rotation_both_keys_keep_the_erased_away_and_the_new_one_makes_digests(world):
    for name in ("anna", "bert"):
        world.media.write("media", f"digits/{name}/2.png", PNG, content_type="image/png")
    world.media.write("media", "digits/dora/1.png", PNG, content_type="image/png")
    counts = FLOWS["sync"](world).counts
    assert (counts["added"], counts["suppressed"]) == (1, 2)
    assert sorted(row["hmac_key_id"] for row in world.table("suppressions").read().to_pylist()) == ["k1", "k2"]
    (dora,) = [row for row in world.table("references").read().to_pylist() if "dora" in row["key"]]
    assert dora["hmac_key_id"] == "k2"


def test_after_a_rotation_references_of_the_old_key_are_found(world):
    assert {row["hmac_key_id"] for row in world.table("references").read().to_pylist()} == {"k1"}
    assert preview_requests(world)[0].counts["references"] == 1


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        (KeyRing({"k2": NEW}, current="k2"), "missing: k1"),
        (KeyRing({"k1": OLD}, current="k1"), "missing: k2"),
        (KeyRing({"k1": OTHER, "k2": NEW}, current="k2"), "not the key that was used: k1"),
        (KeyRing({"k1": OLD, "k2": OTHER}, current="k2"), "not the key that was used: k2"),
        (KeyRing({"k1": NEW, "k2": OLD}, current="k2"), "not the key that was used: k1, k2"),
    ],
)
def test_no_flow_starts_while_any_key_is_missing_or_wrong(world, flow, ring, problem):
    before, world.keys = state_of(world), ring
    with pytest.raises(SuppressionKeyError, match=problem):
        FLOWS[flow](world)
    assert state_of(world) == before


@pytest.mark.parametrize("flow", FLOWS)
def test_no_flow_starts_while_the_check_values_are_lost(world, flow):
    world.hot.delete("suppression-keys.json")
    with pytest.raises(SuppressionKeyError, match="without check value: k1, k2"):
        FLOWS[flow](world)
