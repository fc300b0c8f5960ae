"""Reference files: three formats that say the same, taken whole or refused with every problem by row number."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from labelloop.errors import InputError
from labelloop.reference_rows import COLUMNS
from labelloop.spec import load_spec
from tasks.clients.reference_file import reference_listing
from tests.builders.digits import SPEC
from tests.fakes.media import MemoryMediaStore


def as_parquet(rows):
    file = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([row.get(name) for row in rows], pa.string()) for name in COLUMNS}), file)
    return file.getvalue()


def as_csv(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_jsonl(rows):
    return "\n".join(json.dumps({**row, **parsed(row)}) for row in rows).encode()


def parsed(row):
    try:
        return {"metadata": json.loads(row["metadata"])} if row.get("metadata") else {}
    except ValueError:
        return {}


WRITERS = {"parquet": as_parquet, "csv": as_csv, "jsonl": as_jsonl}
formats = pytest.mark.parametrize("ending", WRITERS)


def uri(name):
    return f"s3://media/digits/{name}"


def listing(ending, data, present=("1.png", "2.png", "3.png")):
    store = MemoryMediaStore()
    store.make_bucket("media")
    for name in present:
        store.write("media", f"digits/{name}", b"x", content_type="image/png")
    if data is not None:
        store.write("media", f"jobs/refs.{ending}", data, content_type="")
    source = {"kind": "reference_file", "uri": f"s3://media/jobs/refs.{ending}"}
    media = load_spec(SPEC).media.model_validate({"bucket": "media", "prefix": "digits/", "source": source})
    batches = reference_listing(store, media, store.list("media", "digits/"))
    return sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: row["key"])


def refused(ending, data):
    with pytest.raises(InputError) as error:
        listing(ending, data)
    assert error.value.remedy
    return str(error.value)


@formats
def test_the_present_objects_that_the_file_names_are_listed_with_their_ids(ending):
    rows = [
        {"uri": uri("1.png"), "subject": "anna", "source_platform": " Flickr", "source_id": "17 "},
        {"uri": uri("2.png"), "metadata": '{"camera": {"make": "x"}}'},
        {"uri": uri("gone.png"), "subject": "bert"},
    ]
    found = listing(ending, WRITERS[ending](rows))
    assert [(r["key"], r["subject"], r["source"], r["size"]) for r in found] == [
        ("digits/1.png", "anna", "flickr:17", 1),
        ("digits/2.png", None, None, 1),
    ]


@formats
def test_odd_keys_are_meant_exactly(ending):
    names = ["a b.png", "ü.png", "e\u0301.png", "a%20b.png", "a,\"b'.png", "日本.png", " x ", "NA"]
    found = listing(ending, WRITERS[ending]([{"uri": uri(name)} for name in names]), [*names, "a+b.png", "é.png"])
    assert [row["key"] for row in found] == sorted(f"digits/{name}" for name in names)


@formats
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"subject": "anna"}, "uri is empty"),
        ({"uri": "http://media/digits/9.png"}, "uri is no s3:// address"),
        ({"uri": "s3://other/digits/9.png"}, "uri lies outside media.bucket and media.prefix"),
        ({"uri": "s3://media/digitsx/9.png"}, "uri lies outside media.bucket and media.prefix"),
        ({"uri": "s3://media/digits/"}, "uri lies outside media.bucket and media.prefix"),
        ({"uri": uri("1.png")}, "uri stands there more than once"),
        ({"uri": uri("9.png"), "subject": " \t"}, "subject is blank"),
        ({"uri": uri("9.png"), "source_id": "1"}, "source_id has no source_platform"),
        ({"uri": uri("9.png"), "source_platform": "x"}, "source_platform has no source_id"),
        ({"uri": uri("9.png"), "source_platform": "a:b", "source_id": "1"}, "blank or holds a colon"),
        ({"uri": uri("9.png"), "metadata": "[1]"}, "metadata is no JSON object"),
    ],
)
def test_a_row_that_cannot_be_used_refuses_the_whole_file_by_its_number(ending, row, problem):
    good = [{"uri": uri("1.png"), "subject": "carla"}, {"uri": uri("2.png")}]
    told = refused(ending, WRITERS[ending]([*good, row]))
    numbers = "1, 3" if "more than once" in problem else "3"
    assert f"{problem} (row {numbers})" in told
    assert not {"carla", "anna", "9.png", "digitsx"} & set(told.replace("/", " ").split())


@formats
def test_every_problem_is_counted(ending):
    rows = [{"uri": f"ftp://x/{n}"} for n in range(7)] + [{"uri": uri("1.png"), "subject": " "}]
    told = refused(ending, WRITERS[ending](rows))
    assert "8 row(s)" in told
    assert "7 x uri is no s3:// address (row 1, 2, 3, 4, 5)" in told
    assert "1 x subject is blank (row 8)" in told


def test_metadata_that_is_no_json_is_told():
    assert "metadata is no JSON (row 1)" in refused("csv", as_csv([{"uri": uri("1.png"), "metadata": "{"}]))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "no JSON (row 2)"),
        ("[" * 100_000, "no JSON (row 2)"),
        ("[]", "no JSON object (row 2)"),
        ('{"uri": "s3://media/digits/2.png", "person": "anna"}', "other fields"),
        ('{"uri": ["s3://media/digits/2.png"]}', "neither text nor a whole number (row 2)"),
    ],
)
def test_a_line_that_cannot_be_taken_apart_is_told_by_its_number(line, problem):
    assert problem in refused("jsonl", f'{{"uri": "{uri("1.png")}"}}\n{line}\n'.encode())


def test_a_torn_row_of_a_csv_is_told_by_its_number():
    text = f"uri,subject\n{uri('1.png')},a\n{uri('2.png')}\n{uri('3.png')},b\n,c\n"
    told = refused("csv", text.encode())
    assert "another number of fields than the header (row 2)" in told
    assert "uri is empty (row 4)" in told


def test_a_csv_may_begin_with_a_byte_order_mark_and_quote_its_header():
    assert len(listing("csv", f'\ufeff"uri","subject"\n{uri("1.png")},a\n'.encode())) == 1


@pytest.mark.parametrize(
    ("ending", "data", "reason"),
    [
        ("parquet", b"no parquet", "cannot be read as parquet"),
        ("csv", b"uri\ns3://media/digits/\xff\n", "cannot be read as csv"),
        ("jsonl", b'{"uri": "\xff"}', "cannot be read as jsonl"),
        ("csv", b"uri,subjct\nx,y\n", "1 have no meaning"),
        ("csv", b"", "no meaning"),
        ("csv", b"uri,uri\n", "each once"),
        ("jsonl", None, "is not there"),
        ("xlsx", b"x", "ends with '.xlsx'"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(ending, data, reason):
    assert reason in refused(ending, data)


@formats
def test_a_file_without_rows_names_nothing(ending):
    assert listing(ending, WRITERS[ending]([])) == []
