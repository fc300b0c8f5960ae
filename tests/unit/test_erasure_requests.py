"""Documents of requests: JSON, JSON Lines or CSV, refused whole with every problem named, and their calendar."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from labelloop.erasure.decisions import received
from labelloop.erasure.document import read_requests
from labelloop.erasure.request import Identifiers, due
from labelloop.errors import InputError
from tests.checkout import ROOT

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
CSV = "verification,kind,identifier,platform,received_at\n"


def read(text):
    return read_requests(text, now=NOW)


def request(**changes):
    wanted = Identifiers(subjects=("anna",), verification="letter", **changes)
    return received(wanted, request_id="0" * 32, project="digits", now=NOW)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("{", "not JSON \\(line 1"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "names no request"),
        ("[7]", "request: Input should be"),
        ('{"verification": "v"}', "names no object key"),
        ('{"subjects": ["a"]}', "verification: Field required"),
        ('{"subjects": ["a"], "verification": " "}', "verification"),
        ('{"subjects": ["a", " "], "verification": "v"}', "subjects: item 1 is blank"),
        ('{"object_keys": [""], "verification": "v"}', "object_keys: item 0 is empty"),
        (f'{{"object_keys": ["{"ü" * 513}"], "verification": "v"}}', "longer than S3 allows"),
        ('{"object_keys": ["\\ud800"], "verification": "v"}', "object_keys.0: holds half a surrogate pair"),
        ('{"prefixes": ["a/", "b"], "verification": "v"}', "prefixes: item 1 does not end with a slash"),
        ('{"subjects": "anna", "verification": "v"}', "subjects"),
        ('{"anna": 1, "subjects": ["a"], "verification": "v"}', "request: Extra inputs"),
        ('{"subjects": ["a"], "subjects": ["b"], "verification": "v"}', "a field stands in it twice"),
        ('{"sources": [{"platform": "a:b", "id": "1"}], "verification": "v"}', "sources.0.platform"),
        ('{"sources": [{"platform": "flickr", "id": " "}], "verification": "v"}', "sources.0.id"),
        ('{"subjects": ["a"], "verification": "v", "received_at": "2026-11-23"}', "received_at: lies in the future"),
        ('{"subjects": ["a"], "verification": "v", "received_at": "2026-11-01T10:00"}', "received_at.*timezone"),
        ('{"subjects": ["a"], "verification": "v", "received_at": 7}', "received_at: is no date"),
        (CSV, "names no request"),
        ("kind,identifier\nsubject,anna\n", "the column verification is missing"),
        ("verification,kind,identifier,anna\n", "column 4 is unknown"),
        ("verification,kind,identifier,kind\n", "column 4 is unknown or repeated"),
        (f"{CSV}v,subjekt,anna,,\n", "line 2: kind: Input should be 'object_key'"),
        (f"{CSV}v,prefix,faces,,\n", "line 2: prefixes: item 0 does not end with a slash"),
        (f"{CSV}v,subject\n", "line 2: identifier: Field required"),
        (f"{CSV}v,subject,a,,,more\n", "line 2: request: Extra inputs"),
        (f"{CSV}v,source,17,,\n", "line 2: request: a platform is given for a source"),
        (f"{CSV}v,subject,17,flickr,\n", "line 2: request: a platform is given for a source"),
        (f'{CSV}v,subject,"anna\n', "is not CSV"),
    ],
)
def test_a_malformed_document_is_refused_with_its_problem(text, problem):
    with pytest.raises(InputError, match=problem):
        read(text)


@pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
def test_every_problem_of_every_request_is_named_and_no_value_repeated(form):
    wrong = [
        {"secret-field": 1, "prefixes": ["secret-prefix"], "subjects": [""], "object_keys": 7},
        {"subjects": ["secret"], "verification": "seen"},
        {"prefixes": ["secret"], "verification": "seen"},
    ]
    text = {
        "json": json.dumps(wrong),
        "jsonl": "\n".join(map(json.dumps, wrong)),
        "csv": f"{CSV}seen,secret,x,,\nseen,subject,secret,,\nseen,prefix,secret,,\n,prefix,secret/,,\n",
    }[form]
    with pytest.raises(InputError) as refused:
        read(text)
    told = str(refused.value)
    places = ("line 2: kind", "line 4: prefixes", "line 5: verification")
    fields = ("request 1: object_keys", "request 1: prefixes", "request 1: verification", "request 3: prefixes")
    assert [place for place in (places if form == "csv" else fields) if place not in told] == []
    assert "secret" not in told


def test_the_same_requests_are_read_from_every_form():
    rows = [
        {"verification": "l7", "received_at": "2026-11-02", "subjects": ["anna"], "object_keys": [" k "]},
        {"verification": "l8", "sources": [{"platform": "flickr", "id": "17"}], "prefixes": ["faces/"]},
    ]
    table = (
        f"{CSV}l7,subject,anna,,2026-11-02\nl8,source,17,flickr,\nl7,object_key, k ,,2026-11-02\nl8,prefix,faces/,,\n"
    )
    expected = [Identifiers.model_validate(row) for row in rows]
    assert read(json.dumps(rows)) == expected
    assert read("\n".join(map(json.dumps, rows))) == expected
    assert read("\n".join(json.dumps(row, indent=1) for row in rows)) == expected
    assert read("\ufeff" + table.replace("\n", "\r\n")) == expected
    assert expected[0].received_at == datetime(2026, 11, 2, tzinfo=UTC)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_examples_of_the_page_can_be_sent(form):
    page = (ROOT / "docs" / "erasure.md").read_text(encoding="utf-8")
    (example,) = re.findall(rf"```{form}\n(.*?)```", page, flags=re.DOTALL)
    named = [wanted.subjects + wanted.object_keys + wanted.prefixes + wanted.sources for wanted in read(example)]
    assert [len(names) for names in named] == ([4] if form == "json" else [2, 2])


@pytest.mark.slow
def test_a_document_may_hold_thousands():
    wanted = read(CSV + "".join(f"letter {n},subject,person {n},,\n" for n in range(5000)))
    assert (len(wanted), wanted[4999].subjects) == (5000, ("person 4999",))
    assert len(read(CSV + "".join(f"letter,subject,person {n},,\n" for n in range(5000)))[0].subjects) == 5000


@pytest.mark.parametrize(
    ("at", "months", "answer"),
    [
        ("2026-01-31T00:00", 1, "2026-02-28T00:00"),
        ("2028-01-30T00:00", 1, "2028-02-29T00:00"),
        ("2026-12-15T00:00", 1, "2027-01-15T00:00"),
        ("2026-05-31T23:59", 1, "2026-06-30T23:59"),
        ("2026-11-30T08:00", 3, "2027-02-28T08:00"),
        ("2026-10-31T08:00", 2, "2026-12-31T08:00"),
    ],
)
def test_a_request_is_due_after_calendar_months_clamped_to_the_last_day(at, months, answer):
    assert due(datetime.fromisoformat(at), months=months) == datetime.fromisoformat(answer)


def test_the_time_runs_from_the_arrival_of_the_letter_not_from_its_entry():
    assert request(received_at="2026-11-02").due_at == datetime(2026, 12, 2, tzinfo=UTC)
    assert request().due_at == datetime(2026, 12, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "told"), [(0, ""), (14, ""), (15, "50 %"), (23, "50 %"), (24, "80 %"), (30, "80 %")]
)
def test_half_and_four_fifths_of_the_time_are_told(days, told):
    assert request().warning(NOW + timedelta(days=days)) == told


def test_a_late_answer_is_overdue_and_a_finished_request_is_not():
    late = NOW + timedelta(days=31)
    assert request().warning(late) == "overdue"
    for state in ("done", "lifted"):
        finished = request().model_copy(update={"state": state})
        assert (finished.warning(late), finished.is_overdue(late)) == ("", False)
