"""Requests are refused whole with every problem named."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from labelloop.erasure.request import due, read_request
from labelloop.errors import InputError


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
