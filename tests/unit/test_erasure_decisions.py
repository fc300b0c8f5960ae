"""What people decide about a request: two behind a large one, one extension in time, an end with a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from labelloop.erasure.decisions import (
    approved,
    decided_on_content,
    extended,
    lifted,
    needs_approval,
    officer,
    received,
)
from labelloop.erasure.request import Identifiers, Request
from labelloop.errors import InputError
from labelloop.identity import KeyRing

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RING = KeyRing({"k1": bytes(range(32))}, current="k1")
MIA, ANNA, KIM = (officer(name, RING) for name in ("Mia", "Anna", "Kim"))


def request(by=None, **changes):
    wanted = Identifiers(subjects=("anna",), verification="letter")
    made = received(wanted, request_id="0" * 32, project="digits", now=NOW, requested_by=by and by.pseudonym)
    return made.model_copy(update=changes)


def test_one_person_cannot_stand_behind_a_request_twice():
    with pytest.raises(InputError, match="a second person"):
        approved(request(MIA), MIA, now=NOW)
    once = approved(request(), MIA, now=NOW)
    with pytest.raises(InputError, match="a second person"):
        approved(once, officer(" mIA ", RING), now=NOW)


def test_the_same_person_is_recognised_after_a_key_rotation():
    rotated = KeyRing({"k1": bytes(range(32)), "k2": bytes(32)}, current="k2")
    assert officer("Mia", rotated).pseudonym != MIA.pseudonym
    with pytest.raises(InputError, match="a second person"):
        approved(request(MIA), officer("Mia", rotated), now=NOW)


def test_a_second_person_approves_what_the_first_asked_for():
    both = approved(request(MIA), ANNA, now=NOW)
    assert both.approved
    assert [(event.what, event.by) for event in both.history] == [("approved", ANNA.pseudonym)]
    assert "anna" not in both.model_dump_json().lower()


def test_a_request_nobody_is_known_to_have_asked_for_takes_two_approvals():
    once = approved(request(), MIA, now=NOW)
    assert not once.approved
    assert approved(once, KIM, now=NOW).approved


def test_nobody_is_no_person():
    with pytest.raises(InputError, match="who decides"):
        officer(" ", RING)


@pytest.mark.parametrize(
    ("objects", "together", "approved", "needed"),
    [(10, 1, False, False), (11, 1, False, True), (1, 11, False, True), (11, 11, True, False)],
)
def test_a_large_request_or_one_of_a_large_document_needs_approval(objects, together, approved, needed):
    assert needs_approval(request(together=together, approved=approved), objects, 10) is needed


def test_a_deadline_moves_once_and_in_time_by_at_most_two_months():
    first = request()
    for months, until in ((1, datetime(2027, 1, 22, 12, tzinfo=UTC)), (2, datetime(2027, 2, 22, 12, tzinfo=UTC))):
        later = extended(first, MIA, months=months, reason="complexity", now=first.due_at)
        assert (later.due_at, later.history[0].reason) == (until, "complexity")
    with pytest.raises(InputError, match="extended before"):
        extended(later, MIA, months=1, reason="number", now=NOW)
    with pytest.raises(InputError, match="3 months"):
        extended(first, MIA, months=3, reason="number", now=NOW)
    with pytest.raises(InputError, match="overdue"):
        extended(first, MIA, months=1, reason="number", now=first.due_at + timedelta(seconds=1))


def test_what_has_begun_is_not_lifted_by_half_but_what_is_done_is():
    with pytest.raises(InputError, match="has begun to delete"):
        lifted(request(), MIA, reason="mistake", now=NOW, begun=True)
    done = lifted(request(state="done"), MIA, reason="renewed-consent", now=NOW, begun=True)
    assert (done.state, done.history[0].what, done.history[0].reason) == ("lifted", "lifted", "renewed-consent")


def test_lifting_again_records_nothing_more():
    once = lifted(request(), MIA, reason="mistake", now=NOW, begun=False)
    assert lifted(once, KIM, reason="mistake", now=NOW, begun=False) == once


@pytest.mark.parametrize("state", ["done", "lifted"])
def test_nothing_is_left_to_decide_about_a_finished_request(state):
    for decide in (
        lambda r: approved(r, MIA, now=NOW),
        lambda r: decided_on_content(r, MIA, "leave", now=NOW),
        lambda r: extended(r, MIA, months=1, reason="number", now=NOW),
    ):
        with pytest.raises(InputError, match=f"the request is {state}"):
            decide(request(state=state))


def test_a_record_survives_hot_state():
    made = decided_on_content(approved(request(MIA), ANNA, now=NOW), KIM, "suppress", now=NOW)
    assert Request.model_validate_json(made.model_dump_json()) == made
