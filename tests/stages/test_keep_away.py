"""Suppression and restriction of many requests: in force for the last before the first is erased."""

from __future__ import annotations

import pytest

from labelloop.errors import UnavailableError
from tasks.erasure.carry_out import carry_out_requests
from tasks.sync import sync_references
from tests.builders.erasure_requests import ask, erasable_world
from tests.fakes.world import under_lease

PNG = b"\x89PNG\r\n\x1a\n"
NAMES = [f"person-{n}" for n in range(5)]


@pytest.fixture
def world(tmp_path):
    made = erasable_world(tmp_path)
    for name in NAMES:
        made.media.write("media", f"digits/{name}/1.png", PNG, content_type="image/png")
    under_lease(made, "sync", sync_references)
    for name in NAMES:
        ask(made, subjects=[name])
    return made


def test_the_last_of_many_is_kept_away_though_the_first_cannot_be_erased_yet(world):
    world.media.lies["media"] = 10**6
    with pytest.raises(UnavailableError):
        carry_out_requests(world)
    assert {row["state"] for row in world.table("references").read().to_pylist()} == {"restricted"}
    assert world.table("suppressions").read().num_rows == len(NAMES)
    world.media.write("media", f"digits/{NAMES[-1]}/2.png", PNG, content_type="image/png")
    assert under_lease(world, "sync", sync_references).counts["suppressed"] == 1


def test_all_of_many_are_carried_out_with_a_receipt_each(world):
    assert carry_out_requests(world).counts["done"] == len(NAMES)
    assert world.table("receipts").read().num_rows == len(NAMES)
    assert list(world.media.keys_ever("media")) == []
