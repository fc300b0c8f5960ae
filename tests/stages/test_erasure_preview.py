"""A preview of open requests: counts, deadlines and what a person must do, never an identifier."""

from __future__ import annotations

import json

import pytest

from tasks.erasure.audit import preview_requests
from tests.builders.erasure_requests import ask, erasable_world


@pytest.fixture
def world(tmp_path):
    made = erasable_world(tmp_path)
    limit = made.spec.erasure.model_copy(update={"max_objects_without_approval": 1})
    made.spec = made.spec.model_copy(update={"erasure": limit})
    for name in ("secret-1", "secret-2"):
        made.media.write("media", f"digits/{name}/a.png", b"\x89PNG\r\n\x1a\n", content_type="image/png")
    return made


def test_a_preview_tells_the_deadline_and_how_much_of_the_time_is_used_up(world):
    request_id = ask(world, subjects=["secret-1"])
    world.now.advance(days=25)
    (summary,) = preview_requests(world)
    assert summary.counts["objects"] == 1
    assert summary.notes == (f"request {request_id}", "open", "due 2026-12-02", "time: 80 %")


def test_a_preview_tells_that_a_second_person_is_needed_before_anything_is_suppressed(world):
    ask(world, prefixes=["digits/"])
    ask(world, object_keys=["digits/secret-1/a.png"])
    large, small = preview_requests(world)
    assert large.notes[-1].startswith("needs a second person")
    assert not any("second person" in note for note in small.notes)
    assert world.table("suppressions").read().num_rows == 0


def test_a_preview_of_every_kind_of_identifier_names_none(world):
    source = {"platform": "flickr", "id": "secret-9"}
    ask(world, subjects=["secret-1"], prefixes=["digits/secret-2/"], object_keys=["secret"], sources=[source])
    (summary,) = preview_requests(world)
    assert "secret" not in json.dumps(summary.model_dump())
    assert summary.counts["objects"] == 3
