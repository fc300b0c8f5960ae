"""Identity: digests that recognise, reveal nothing, and refuse a wrong key."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelloop.errors import InputError, SuppressionKeyError
from labelloop.identity import KeyRing, key_ring, source_identifier, verified_check_values

RING = KeyRing({"k1": bytes(range(32))}, current="k1")
OTHER = KeyRing({"k1": bytes(32)}, current="k1")


@pytest.mark.parametrize("kind", ["subject", "source"])
def test_one_person_written_in_several_ways_has_one_digest(kind):
    assert RING.digest(kind, " Ame\u0301lie\n") == RING.digest(kind, "Am\u00e9lie")


def test_object_keys_are_never_normalised():
    keys = ["e\u0301.png", "\u00e9.png", " a", "a", "a/", "A"]
    assert len(set(RING.digests("object_key", keys))) == len(keys)


def test_case_is_kept_since_two_platform_ids_may_differ_by_it():
    assert RING.digest("subject", "anna") != RING.digest("subject", "Anna")


@pytest.mark.slow
@given(st.text(), st.sampled_from(["subject", "object_key", "prefix", "annotator"]))
def test_a_digest_depends_on_kind_and_key(identifier, kind):
    made = RING.digest(kind, identifier)
    assert len(made) == 64
    assert made != RING.digest("source", identifier)
    assert made != OTHER.digest(kind, identifier)


def test_a_kind_and_an_identifier_cannot_be_shifted_into_each_other():
    assert RING.digest("a", "b/c") != RING.digest("a/b", "c")
    assert RING.digest("ab", "c") != RING.digest("a", "bc")


def test_many_digests_are_those_of_each():
    assert RING.digests("subject", ["a", "b"]) == [RING.digest("subject", "a"), RING.digest("subject", "b")]


def test_an_old_key_still_verifies():
    ring = KeyRing({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")
    assert ring.digest("subject", "anna", key_id="k1") == RING.digest("subject", "anna")
    assert ring.digest("subject", "anna") != RING.digest("subject", "anna")


@pytest.mark.parametrize(
    ("keys", "current", "problem"),
    [
        ({"k1": "AAAA"}, "k1", "shorter than 32 bytes"),
        ({"k1": "no base64!"}, "k1", "not base64"),
        ({}, "k1", "'k1' is not among"),
    ],
)
def test_unusable_keys_are_named_without_their_value(keys, current, problem):
    with pytest.raises(SuppressionKeyError, match=problem) as refused:
        key_ring(keys, current)
    assert not any(key in str(refused.value) for key in keys.values())


def test_check_values_reveal_neither_key_nor_digest():
    assert RING.check_values()["k1"] not in (bytes(range(32)).hex(), RING.digest("subject", "k1"))


@pytest.mark.parametrize(
    ("ring", "known", "used", "problem"),
    [
        (OTHER, RING.check_values(), ["k1"], "not the key that was used: k1"),
        (RING, {**RING.check_values(), "k0": "0" * 64}, [], "missing: k0"),
        (RING, RING.check_values(), ["k0"], "missing: k0"),
        (RING, None, ["k1"], "without check value: k1"),
    ],
)
def test_a_run_whose_keys_cannot_be_verified_is_refused(ring, known, used, problem):
    with pytest.raises(SuppressionKeyError, match=problem):
        verified_check_values(ring, known, used)


def test_a_new_key_is_taken_up_beside_the_old_one():
    both = KeyRing({"k1": bytes(range(32)), "k2": b"2" * 32}, current="k2")
    assert verified_check_values(both, RING.check_values(), ["k1"]) == both.check_values()


@pytest.mark.parametrize("length", [32, 63, 64, 65, 200])
def test_a_digest_is_hmac_sha256_over_kind_and_identifier(length):
    key = bytes(range(length % 251))[:length].ljust(length, b"x")
    expected = hmac.digest(key, "labelloop/object_key\0ü.png".encode(), "sha256").hex()
    assert KeyRing({"k1": key}, current="k1").digest("object_key", "ü.png") == expected


@pytest.mark.parametrize(("platform", "identifier"), [("flickr", "17"), (" Flickr ", "17"), ("FLICKR", " 17\n")])
def test_a_source_has_one_form_however_it_is_written(platform, identifier):
    assert source_identifier(platform, identifier) == "flickr:17"


@pytest.mark.parametrize(("platform", "identifier"), [("a:b", "c"), ("", "c"), ("a", " ")])
def test_a_source_whose_parts_could_be_shifted_or_are_blank_is_refused(platform, identifier):
    with pytest.raises(InputError, match="source"):
        source_identifier(platform, identifier)
