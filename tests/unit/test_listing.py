"""Listing a bucket: every key exactly, each once, whatever it is made of and however pages and prefixes fall.

The oracle is boto3's own paginator on the same server.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labelloop.errors import UnavailableError
from tasks.clients.listing import LISTING, Listing
from tasks.clients.s3 import connect
from tests.builders.settings import make_settings
from tests.fakes.listing_server import listing_server

HOSTILE = [
    "a",
    "b",
    "/",
    "//",
    "%",
    "%2F",
    "+",
    " ",
    "..",
    ".",
    "\n",
    "\r",
    "\x01",
    "\x7f",
    "\\",
    "&",
    "<",
    '"',
    "ü",
    "e\u0301",
]
HOSTILE += ["\U0001f600", "\ufffd", "?", "#"]
KEYS = st.lists(st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6).map("".join), max_size=25, unique=True)


def client_of(url):
    keys = {"s3_access_key": "none", "s3_secret_key": "none"}
    return connect(make_settings(s3_endpoint=url, **keys))


def rows(url, prefix="", *, versioned=False, page_size=4):
    listing = Listing(client_of(url), page_size=page_size)
    return [row for batch in listing.objects("b", prefix, versioned=versioned) for row in batch.to_pylist()]


@pytest.mark.slow
@settings(max_examples=15)
@given(keys=KEYS, prefix=st.sampled_from(["", "a", "a/", "/", "%"]), versioned=st.booleans())
def test_every_key_below_the_prefix_is_listed_exactly_once(keys, prefix, versioned):
    with listing_server(keys) as url:
        found = rows(url, prefix, versioned=versioned)
    assert sorted(row["key"] for row in found) == sorted(key for key in keys if key.startswith(prefix))


@pytest.mark.slow
@settings(max_examples=5)
@given(keys=KEYS)
def test_boto3_says_the_same_of_every_object(keys):
    with listing_server(keys) as url:
        pages = client_of(url).get_paginator("list_objects_v2").paginate(Bucket="b", PaginationConfig={"PageSize": 7})
        theirs = {
            o["Key"]: (o["Size"], o["ETag"].strip('"'), o["LastModified"])
            for p in pages
            for o in p.get("Contents", ())
        }
        ours = {row["key"]: (row["size"], row["etag"], row["last_modified"]) for row in rows(url)}
    assert ours == theirs


def test_of_versions_only_the_present_ones_are_listed():
    with listing_server(["a", "b/c"]) as url:
        found = rows(url, versioned=True)
    assert sorted((row["key"], row["version_id"]) for row in found) == [("a", "v2"), ("b/c", "v2")]


def asked_prefixes(keys, **options):
    asked = []
    with listing_server(keys) as url:
        client = client_of(url)
        client.meta.events.register("before-parameter-build.s3", lambda params, **_: asked.append(params["Prefix"]))
        list(Listing(client, **options).objects("b", "", versioned=False))
    return asked


def test_large_prefixes_are_listed_side_by_side_and_small_ones_with_the_rest():
    assert set(asked_prefixes([f"{p}/{n}" for p in "xyz" for n in range(50)], page_size=10)) == {"", "x/", "y/", "z/"}
    assert set(asked_prefixes([f"{n}/x" for n in range(50)], page_size=10)) == {""}


def test_another_use_of_the_client_gets_the_answers_it_expects():
    with listing_server(["a"]) as url:
        client = client_of(url)
        Listing(client)
        assert client.list_objects_v2(Bucket="b", MaxKeys=10)["Contents"][0]["Key"] == "a"


def test_listing_stops_when_nobody_wants_more():
    with listing_server([f"k{n}" for n in range(500)]) as url:
        batches = Listing(client_of(url), page_size=5).objects("b", "", versioned=False)
        assert next(batches).num_rows == 5
        batches.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("<Size>1</Size>", ""),
        ("<Size>1</Size>", "<Size>many</Size>"),
        ("2026-01-01T", "yesterday "),
        ("</Contents>", ""),
    ],
)
def test_an_answer_that_cannot_be_read_is_named(right, wrong):
    spoilt = listing_server(["a", "b"], spoil=lambda body: body.replace(right, wrong))
    with spoilt as url, pytest.raises(UnavailableError, match="listing a bucket"):
        rows(url)


def test_boto3_reads_an_answer_without_its_objects():
    sizes = []
    with listing_server([f"k{n}" for n in range(1000)]) as url:
        client = client_of(url)
        client.meta.events.register(
            "before-parse.s3.*", lambda response_dict, **_: sizes.append(len(response_dict["body"]))
        )
        assert sum(batch.num_rows for batch in Listing(client).objects("b", "", versioned=False)) == 1000
    assert max(sizes) < 1000


def test_an_error_in_an_answer_of_success_is_asked_again():
    answers = iter(["<Error><Code>InternalError</Code><Message>try again</Message></Error>"])
    with listing_server(["a", "b"], spoil=lambda body: next(answers, body)) as url:
        assert [row["key"] for row in rows(url)] == ["a", "b"]


def test_an_empty_bucket_gives_nothing():
    with listing_server([]) as url:
        assert rows(url) == []
    assert LISTING.names == ["key", "size", "etag", "version_id", "last_modified"]
