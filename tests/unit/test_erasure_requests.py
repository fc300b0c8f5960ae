"""Requests are refused whole with every problem named; receipts are refused at any changed bit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelloop.erasure.receipt import Receipt, issue, last_digest, read_receipt, verify, verify_chain
from labelloop.erasure.request import due, read_request
from labelloop.errors import InputError

KEY = bytes(range(32))
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def receipt(number=0, previous=None):
    return issue(
        {"sinks": {"units": {"found": number, "remaining": 0}}},
        receipt_id=f"{number:032x}",
        request_id=f"{number + 100:032x}",
        issued_at=NOON + timedelta(hours=number),
        previous_digest=previous,
        key=KEY,
    )


def chain(n):
    made = []
    for number in range(n):
        made.append(receipt(number, last_digest(made)))
    return made


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "request"),
        ('{"verification": "v"}', "names no object key"),
        ('{"subjects": ["a"]}', "verification: Field required"),
        ('{"subjects": ["a"], "verification": ""}', "verification"),
        ('{"subjects": ["a", " "], "verification": "v"}', "subjects: item 1 is blank"),
        ('{"object_keys": [""], "verification": "v"}', "object_keys: item 0 is empty"),
        ('{"prefixes": ["a/", "b"], "verification": "v"}', "prefixes: item 1 does not end with a slash"),
        ('{"subjects": "anna", "verification": "v"}', "subjects"),
        ('{"anna": 1, "subjects": ["a"], "verification": "v"}', "request: Extra inputs"),
    ],
)
def test_a_malformed_request_is_refused_with_its_problem(text, problem):
    with pytest.raises(InputError, match=problem):
        read_request(text)


def test_every_problem_is_named_and_no_value_repeated():
    text = json.dumps({"secret-field": 1, "prefixes": ["secret-prefix"], "subjects": [""], "object_keys": 7})
    with pytest.raises(InputError) as refused:
        read_request(text)
    told = str(refused.value)
    assert all(field in told for field in ("prefixes", "subjects", "object_keys", "verification"))
    assert "secret" not in told


@pytest.mark.parametrize(
    ("received", "answer"),
    [
        ("2026-01-31T00:00", "2026-02-28T00:00"),
        ("2028-01-30T00:00", "2028-02-29T00:00"),
        ("2026-12-15T00:00", "2027-01-15T00:00"),
        ("2026-05-31T23:59", "2026-06-30T23:59"),
    ],
)
def test_a_request_is_due_after_one_calendar_month_clamped_to_its_last_day(received, answer):
    assert due(datetime.fromisoformat(received)) == datetime.fromisoformat(answer)


def test_a_receipt_survives_its_file_and_verifies():
    made = receipt()
    read = read_receipt(made.model_dump_json(indent=1))
    assert read == made
    verify(read, KEY)


@given(st.data())
def test_any_changed_character_is_refused(data):
    fields = receipt(3, "a" * 64).model_dump(mode="json")
    name = data.draw(st.sampled_from(sorted(fields)))
    place = data.draw(st.integers(0, len(fields[name]) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != fields[name][place]))
    changed = {**fields, name: fields[name][:place] + other + fields[name][place + 1 :]}
    try:
        read = read_receipt(json.dumps(changed))
    except InputError:
        return
    if read == receipt(3, "a" * 64):
        return  # two spellings of one moment, as `Z` and `z`
    with pytest.raises(InputError):
        verify(read, KEY)


def test_another_key_is_told_from_a_changed_receipt():
    with pytest.raises(InputError, match="not signed with this receipt key"):
        verify(receipt(), bytes(32))


@pytest.mark.parametrize("file", ["", "{}", "[1]", '{"receipt_id": "x"}'])
def test_a_file_that_is_no_receipt_is_named(file):
    with pytest.raises(InputError, match="is no receipt"):
        read_receipt(file)


def test_a_whole_chain_verifies_in_any_order():
    verify_chain(chain(4)[::-1], KEY)
    verify_chain([], KEY)


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_receipt_missing_from_the_chain_is_noticed(lost):
    with pytest.raises(InputError, match="chain of receipts is broken"):
        verify_chain([r for number, r in enumerate(chain(4)) if number != lost], KEY)


def test_a_second_chain_beside_the_first_is_noticed():
    with pytest.raises(InputError, match="chain of receipts is broken"):
        verify_chain([*chain(2), receipt(7)], KEY)


def test_the_last_digest_is_the_end_of_the_chain():
    made = chain(3)
    assert last_digest(made[::-1]) == made[2].digest
    assert last_digest([]) is None
    assert isinstance(made[0], Receipt)
