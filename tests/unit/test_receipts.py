"""A receipt verifies with the public key alone, and is refused at any changed bit of its file."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from labelloop.erasure.receipt import issue, read_receipt, receipt_text, verify
from labelloop.erasure.receipt_chain import last_digest, verify_chain
from labelloop.errors import ConfigurationError, InputError
from tasks.clients.receipt_keys import genuine, public_key, signer
from tests.builders.settings import make_settings

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OTHER = base64.b64encode(bytes(range(1, 33))).decode()


@pytest.fixture(scope="module")
def settings():
    return make_settings()


@pytest.fixture(scope="module")
def receipt(settings):
    return made(settings)


@pytest.fixture(scope="module")
def ours(settings):
    return genuine(public_key(settings))


def made(settings, number=0, previous=None):
    return issue(
        {"sinks": {"units": {"found": number, "remaining": 0}}},
        receipt_id=f"{number:032x}",
        request_id=f"{number + 100:032x}",
        outcome="erased",
        issued_at=NOON + timedelta(hours=number),
        previous_digest=previous,
        signer=signer(settings),
    )


def chain(settings, n):
    found = []
    for number in range(n):
        found.append(made(settings, number, last_digest(found)))
    return found


def test_a_receipt_survives_its_file_and_verifies(receipt, ours):
    read = read_receipt(receipt_text(receipt).encode())
    assert read == receipt
    verify(read, ours)


def test_every_flipped_bit_of_the_file_is_refused(receipt, ours):
    data = receipt_text(receipt).encode()
    for place in range(len(data)):
        for bit in range(8):
            changed = data[:place] + bytes([data[place] ^ (1 << bit)]) + data[place + 1 :]
            with pytest.raises(InputError):
                verify(read_receipt(changed), ours)


@pytest.mark.parametrize("field", ["receipt_id", "request_id", "issued_at", "previous_digest", "outcome", "payload"])
def test_a_field_that_was_changed_in_good_form_is_refused(settings, ours, field):
    receipt = made(settings, 3, "a" * 64)
    other = {"issued_at": NOON, "outcome": "blocked", "payload": "{}", "previous_digest": None}.get(field, "f" * 32)
    with pytest.raises(InputError, match="digest does not fit"):
        verify(receipt.model_copy(update={field: other}), ours)


def test_a_receipt_of_another_key_is_told_from_a_changed_one(receipt):
    theirs = genuine(public_key(make_settings(receipt_key=OTHER)))
    with pytest.raises(InputError, match="not signed with a known receipt key"):
        verify(receipt, theirs)


def test_a_signature_by_another_key_under_the_known_name_is_refused(settings, receipt, ours):
    forger = signer(make_settings(receipt_key=OTHER))
    forged = receipt.model_copy(update={"signature": forger.sign(receipt.digest.encode()).hex()})
    with pytest.raises(InputError, match="not signed with a known"):
        verify(forged, ours)


def test_several_public_keys_in_one_file_verify_what_each_signed(settings, receipt):
    other = make_settings(receipt_key=OTHER)
    both = genuine(public_key(other) + public_key(settings))
    verify(receipt, both)
    verify(made(other), both)


@pytest.mark.parametrize("pem", ["", "no key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_a_file_without_public_key_is_named(pem):
    with pytest.raises(InputError, match="no public key of receipts"):
        genuine(pem)


@pytest.mark.parametrize("key", ["", "no base64!", base64.b64encode(bytes(31)).decode()])
def test_a_private_key_of_the_wrong_form_is_named_without_its_value(key):
    with pytest.raises(ConfigurationError, match="LABELLOOP_RECEIPT_KEY") as refused:
        signer(make_settings(receipt_key=key))
    assert not key or key not in str(refused.value)


@pytest.mark.parametrize("file", [b"", b"{}", b"[1]", b'{"receipt_id": "x"}', b"\xff"])
def test_a_file_that_is_no_receipt_is_named(file):
    with pytest.raises(InputError, match="is no receipt"):
        read_receipt(file)


def test_an_unknown_field_is_refused_without_repeating_its_name(receipt):
    text = json.dumps({**json.loads(receipt_text(receipt)), "secret-name": 1})
    with pytest.raises(InputError) as refused:
        read_receipt(text.encode())
    assert "secret" not in str(refused.value)


def test_a_whole_chain_verifies_in_any_order(settings, ours):
    verify_chain(chain(settings, 4)[::-1], ours)
    verify_chain([], ours)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_receipt_missing_from_the_chain_is_noticed(settings, ours, lost):
    with pytest.raises(InputError, match="chain of receipts is broken"):
        verify_chain([r for number, r in enumerate(chain(settings, 4)) if number != lost], ours)


def test_a_second_chain_beside_the_first_is_noticed(settings, ours):
    with pytest.raises(InputError, match="chain of receipts is broken"):
        verify_chain([*chain(settings, 2), made(settings, 7)], ours)


def test_the_last_digest_is_the_end_of_the_chain(settings):
    found = chain(settings, 3)
    assert last_digest(found[::-1]) == found[2].digest
    assert last_digest([]) is None
