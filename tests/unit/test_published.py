"""Published files: written, listed, and destroyed with all their versions."""

from __future__ import annotations

import pytest

from labelloop.errors import ErasedError, HeldByLaw, UnavailableError
from tasks.clients.published import Published
from tests.fakes.media import MemoryMediaStore


@pytest.fixture
def store():
    memory = MemoryMediaStore()
    memory.make_bucket("lake", lockable=True)
    return memory


@pytest.fixture
def published(store):
    return Published(store, "s3://lake/projects/p/published")


def test_a_file_is_read_back_under_its_address(published):
    uri = published.write("datasets/v1/card.md", b"# card", "text/markdown")
    assert uri == "s3://lake/projects/p/published/datasets/v1/card.md"
    assert published.read("datasets/v1/card.md") == b"# card"


def test_listing_names_paths_below_the_prefix_only(published):
    for path in ("datasets/v1/b", "datasets/v1/a", "models/m"):
        published.write(path, b"x", "text/plain")
    assert published.list("datasets/") == ["datasets/v1/a", "datasets/v1/b"]


def test_destroying_leaves_no_version_and_no_delete_marker(published, store):
    key = "projects/p/published/datasets/v1/data"
    for data in (b"old", b"new"):
        published.write("datasets/v1/data", data, "text/plain")
    store.delete_plainly("lake", key)
    published.write("datasets/v10/data", b"other", "text/plain")
    assert published.destroy("datasets/v1/") == 3
    assert not store.versions("lake", key)
    assert published.list("datasets/") == ["datasets/v10/data"]
    with pytest.raises(ErasedError):
        published.read("datasets/v1/data")


def test_a_deletion_that_was_only_answered_is_noticed(published, store):
    published.write("datasets/v1/data", b"x", "text/plain")
    store.lies["lake"] = 1
    with pytest.raises(UnavailableError, match="1 version"):
        published.destroy("datasets/v1/")


def test_a_held_file_keeps_everything_below_its_prefix(published, store):
    for path in ("datasets/v1/a", "datasets/v1/b"):
        published.write(path, b"x", "text/plain")
    key = "projects/p/published/datasets/v1/b"
    store.put_legal_hold("lake", key, store.versions("lake", key)[0].version_id, on=True)
    with pytest.raises(HeldByLaw):
        published.destroy("datasets/v1/")
    assert len(published.list("datasets/v1/")) == 2
