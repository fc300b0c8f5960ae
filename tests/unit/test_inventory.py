"""S3 Inventory as a listing: the newest complete delivery, checked, and the present objects in it."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa
import pytest

from labelloop.errors import InputError
from labelloop.spec import load_spec
from tasks.clients import inventory_rows
from tasks.clients.inventory import inventory_listing
from tasks.clients.listing import LISTING
from tests.builders.digits import SPEC, START
from tests.builders.inventory import FIELDS, FOLDER, deliver, row
from tests.fakes.media import MemoryMediaStore

ODD = [
    "digits/a b+c%20d.png",
    "digits/ü/日本,\"'.png",
    "digits/line\nbreak.png",
    "digits//x",
    "digits/NA",
    "digits/null",
]


@pytest.fixture
def store():
    store = MemoryMediaStore()
    store.make_bucket("inventories")
    return store


def media(uri=f"s3://inventories/{FOLDER}", **other):
    source = {"kind": "inventory", "uri": uri}
    return load_spec(SPEC).media.model_validate({"bucket": "media", "prefix": "digits/", "source": source, **other})


def rows(store, *, now=START, **other):
    batches = list(inventory_listing(store, media(**other), now))
    assert all(batch.schema.equals(LISTING) for batch in batches)
    return pa.Table.from_batches(batches, schema=LISTING).to_pylist()


def keys(store, **other):
    return [found["key"] for found in rows(store, **other)]


@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_the_present_objects_below_the_prefix_are_listed(store, file_format):
    first = [
        row("digits/1.png", version_id="v2", size=7, etag="e7"),
        row("digits/1.png", version_id="v1", latest=False),
        row("digits/2.png", version_id="v4", marker=True),
        row("digits/2.png", version_id="v3", latest=False),
        row("digits/old.png", version_id="null"),
    ]
    deliver(store, [first, [row("other/1.png"), row("digits/3.png")]], file_format=file_format)
    expected = [("digits/1.png", 7, "e7", "v2"), ("digits/old.png", 3, "e1", None), ("digits/3.png", 3, "e1", None)]
    found = rows(store)
    assert [(r["key"], r["size"], r["etag"], r["version_id"]) for r in found] == expected
    assert {r["last_modified"] for r in found} == {START}


@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_odd_keys_come_out_exactly(store, file_format):
    deliver(store, [[row(key) for key in ODD]], file_format=file_format)
    assert keys(store) == ODD


@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_an_inventory_of_current_versions_alone_has_no_fields_for_versions(store, file_format):
    deliver(store, [[row("digits/1.png")]], file_format=file_format, fields=("Bucket", "Key", *FIELDS[5:]))
    assert [(r["key"], r["version_id"]) for r in rows(store)] == [("digits/1.png", None)]


@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_many_batches_are_one_listing(store, monkeypatch, file_format):
    monkeypatch.setattr(inventory_rows, "_BATCH", 7)
    monkeypatch.setattr(inventory_rows, "_BLOCK", 1000)
    names = [f"digits/{n:03d}.png" for n in range(100)]
    deliver(store, [[row(name) for name in names]], file_format=file_format)
    assert keys(store) == names


def test_the_newest_complete_delivery_counts(store):
    for days, name, parts in ((0, "a", ("json", "checksum")), (1, "b", ("json", "checksum")), (2, "c", ("json",))):
        deliver(store, [[row(f"digits/{name}.png")]], stamp=START + timedelta(days=days), parts=parts)
    assert keys(store, now=START + timedelta(days=2)) == ["digits/b.png"]
    assert keys(store, now=START + timedelta(days=2), uri=f"s3://inventories/{FOLDER}".rstrip("/")) == [
        "digits/b.png"
    ]


def test_an_empty_bucket_has_an_inventory_without_rows(store):
    deliver(store, [])
    assert rows(store) == []


@pytest.mark.parametrize(
    ("delivery", "reason"),
    [
        ({"parts": ()}, "no complete inventory"),
        ({"parts": ("json",)}, r"no complete inventory .*\(1 without"),
        ({"sourceBucket": "another"}, "of bucket 'another'"),
        ({"fileFormat": "ORC"}, "written as ORC"),
        ({"files": None}, r"broken at \['files'\]"),
        ({"files": [{"key": "x"}]}, r"broken at \['files.0.MD5checksum'\]"),
        ({"files": [{"key": "x", "MD5checksum": "0" * 32}]}, "file 1 of 1 .* is not there"),
        ({"fields": ("Bucket", "Key", "Size")}, r"lacks the fields \['ETag', 'Last modified'\]"),
    ],
)
@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_what_is_wrong_with_a_delivery_is_named(store, file_format, delivery, reason):
    deliver(store, [[row("digits/1.png")]], file_format=file_format, **delivery)
    with pytest.raises(InputError, match=reason) as refused:
        rows(store)
    assert refused.value.remedy
    assert "1.png" not in str(refused.value)


@pytest.mark.parametrize("file_format", ["Parquet", "CSV"])
def test_a_data_file_that_cannot_be_read_is_named(store, file_format):
    deliver(store, [b"no such format" * 100], file_format=file_format)
    with pytest.raises(InputError, match=f"file 1 of 1 of the inventory cannot be read as {file_format}"):
        rows(store)


@pytest.mark.parametrize("changed", ["manifest.json", "manifest.checksum", "data/"])
def test_a_wrong_checksum_is_named(store, changed):
    deliver(store, [[row("digits/1.png")], [row("digits/2.png")]])
    (*_, key) = (key for key in store.keys_ever("inventories") if changed in key)
    store.write("inventories", key, store.read("inventories", key) + b" 0", content_type="")
    with pytest.raises(InputError, match="does not match its checksum"):
        rows(store)


def test_an_old_inventory_stops_the_run(store):
    deliver(store, [[row("digits/1.png")]])
    assert keys(store, now=START + timedelta(days=8)) == ["digits/1.png"]
    with pytest.raises(InputError, match="9 days old"):
        rows(store, now=START + timedelta(days=9))


def test_a_row_without_its_facts_is_named(store):
    deliver(store, [[row("digits/1.png", size=None)]])
    with pytest.raises(InputError, match="file 1 of 1"):
        rows(store)
