"""Suppression: what must not come back is recognised under every key and every name, and nothing else is."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelloop.contracts import shaped
from labelloop.contracts.contract import contract
from labelloop.erasure.request import Identifiers
from labelloop.erasure.suppression import Suppressions, content_rows, suppression_rows
from labelloop.identity import KeyRing, source_identifier

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OLD = KeyRing({"k1": bytes(range(32))}, current="k1")
BOTH = KeyRing({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")


def rows(ring=OLD, request_id="0" * 32, **named):
    wanted = Identifiers.model_validate({"verification": "seen", **named})
    return suppression_rows(wanted, "media", ring, request_id=request_id, now=NOW)


def in_force(*tables, ring=OLD):
    return Suppressions(pa.concat_tables(tables), ring)


def covered(suppressions, key, subject=None, source=None, bucket="media"):
    (answer,) = suppressions.cover(bucket, [key], [subject], [source])
    return answer


def test_only_the_exact_key_of_the_bucket_is_covered():
    found = in_force(rows(object_keys=["a/k"]))
    assert covered(found, "a/k")
    assert not [key for key in ("a/k.json", "a/k2", "A/k", "k", "a/k/", "/a/k") if covered(found, key)]
    assert not covered(found, "a/k", bucket="other")


def test_a_key_of_two_unicode_forms_is_two_keys():
    found = in_force(rows(object_keys=["e\u0301.png"]))
    assert covered(found, "e\u0301.png")
    assert not covered(found, "\u00e9.png")


def test_a_prefix_covers_all_below_it_and_nothing_beside_it():
    found = in_force(rows(prefixes=["p/anna/"]))
    assert all(covered(found, key) for key in ("p/anna/1.png", "p/anna/deep/er/1.png", "p/anna/"))
    assert not [key for key in ("p/anna.png", "p/annabel/1.png", "q/p/anna/1.png", "p/1.png") if covered(found, key)]


@pytest.mark.parametrize("subject", ["Ame\u0301lie", " Am\u00e9lie\n"])
def test_a_subject_is_covered_however_it_is_written(subject):
    found = in_force(rows(subjects=["Am\u00e9lie"]))
    assert covered(found, "x", subject)
    assert not covered(found, "x", "am\u00e9lie")
    assert not covered(found, "Am\u00e9lie")


def test_a_source_is_covered_by_platform_and_id():
    found = in_force(rows(sources=[{"platform": " Flickr", "id": "17 "}]))
    assert covered(found, "x", source=source_identifier("flickr", "17"))
    others = [source_identifier("youtube", "17"), source_identifier("flickr", "170"), "17", None]
    assert not [source for source in others if covered(found, "x", source=source)]
    assert found.cover("media", ["x"], [None]) == [False]


def test_what_an_older_key_suppressed_stays_suppressed():
    found = in_force(rows(OLD, subjects=["anna"]), rows(BOTH, subjects=["bert"]), ring=BOTH)
    assert found.cover("media", ["x"] * 3, ["anna", "bert", "carl"]) == [True, True, False]
    assert found.key_ids == {"k1", "k2"}


def test_what_was_lifted_suppresses_no_more_unless_another_request_does():
    lifted = rows(subjects=["anna", "bert"])
    position = lifted.schema.get_field_index("lifted_at")
    lifted = lifted.set_column(position, lifted.schema.field(position), pa.array([NOW] * 2, lifted["lifted_at"].type))
    found = in_force(lifted, rows(request_id="1" * 32, subjects=["bert"]))
    assert found.cover("media", ["x", "x"], ["anna", "bert"]) == [False, True]


@given(
    st.lists(st.text(alphabet="ab/é", min_size=1, max_size=8), min_size=1, max_size=8),
    st.lists(st.text(alphabet="ab/é", min_size=1, max_size=8), min_size=1, max_size=3),
)
def test_many_objects_get_the_answer_each_would_get_alone(keys, named):
    prefixes = [f"{name}/" for name in named]
    found = in_force(rows(object_keys=named, prefixes=prefixes))
    answer = found.cover("media", keys, [None] * len(keys))
    assert answer == [key in named or any(key.startswith(prefix) for prefix in prefixes) for key in keys]


def test_the_same_bytes_are_covered_under_any_name():
    first, second = b"a photograph", b"another one"
    digests = [hashlib.sha256(data).hexdigest() for data in (first, second, b"")]
    found = in_force(content_rows([(len(first), digests[0])], OLD, request_id="0" * 32, now=NOW))
    assert found.cover_content(digests) == [True, False, False]
    assert found.may_cover_content([len(first), len(second), 0]) == [True, False, False]


def test_no_bytes_are_never_suppressed():
    empty = hashlib.sha256(b"").hexdigest()
    assert content_rows([(0, empty)], OLD, request_id="0" * 32, now=NOW).num_rows == 0
    forged = content_rows([(1, empty)], OLD, request_id="0" * 32, now=NOW)
    assert in_force(forged).cover_content([empty]) == [False]


def test_rows_fit_their_contract_and_are_the_same_each_time():
    made = rows(object_keys=["k"], prefixes=["p/"], subjects=["s", " s"], sources=[{"platform": "f", "id": "1"}])
    assert shaped(contract("suppressions"), made).num_rows == 4
    again = rows(object_keys=["k"], prefixes=["p/"], subjects=["s", " s"], sources=[{"platform": "f", "id": "1"}])
    assert again.equals(made)
