"""What people may decide about an erasure request: to receive, approve, extend or lift it.

People are pseudonyms. Who they are is what they say: the rules keep from mistakes, not from liars with access.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from labelloop.erasure.request import Event, Identifiers, Request, due
from labelloop.errors import InputError
from labelloop.identity import KeyRing, canonical

# GDPR article 12(3): "taking into account the complexity and number of the requests".
ExtensionReason = Literal["complexity", "number"]
LiftReason = Literal["mistake", "renewed-consent"]
SharedContent = Literal["suppress", "leave"]
_PEOPLE_FOR_A_LARGE_REQUEST = 2
_SEE_STATUS = "see `labelloop erase status`"


class Officer(BaseModel):
    """A person who decides: the pseudonym to record, and every pseudonym older keys gave the same person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pseudonym: str
    known_as: frozenset[str]


def officer(name: str, ring: KeyRing) -> Officer:
    """Return who a name or role stands for; case and outer blanks do not make another person.

    Raises:
        InputError: the name is blank.

    >>> ring = KeyRing({"k1": bytes(32)}, current="k1")
    >>> officer("Mia ", ring) == officer("mia", ring)
    True
    """
    said = canonical(name).casefold()
    if not said:
        raise InputError("it is not said who decides", remedy="set LABELLOOP_OFFICER to a name or role")
    known_as = {ring.digest("officer", said, key_id=key_id) for key_id in ring.key_ids}
    return Officer(pseudonym=ring.digest("officer", said), known_as=frozenset(known_as))


def received(
    wanted: Identifiers,
    *,
    request_id: str,
    project: str,
    now: datetime,
    document: str | None = None,
    together: int = 1,
    requested_by: str | None = None,
    in_inbox: bool = False,
) -> Request:
    """Return the record of a new request; its time runs from its arrival, or from now if none is given.

    Args:
        wanted: what it names.
        request_id: 32 hexadecimal digits.
        project: whose bucket its object keys and prefixes mean.
        now: the time of its entry.
        document: id shared by the requests of one document.
        together: how many requests that document holds.
        requested_by: pseudonym of who entered it; None if nobody knows.
        in_inbox: the document was a file of the inbox, known by the same id.
    """
    moment = wanted.received_at or now
    return Request(
        request_id=request_id,
        project=project,
        received_at=moment,
        due_at=due(moment),
        document=document,
        together=together,
        requested_by=requested_by,
        in_inbox=in_inbox,
    )


def needs_approval(request: Request, objects: int, limit: int) -> bool:
    """Return whether a second person has to agree first: it, or the document it came in, is larger than the limit.

    Args:
        request: the request.
        objects: how many objects it reaches.
        limit: `erasure.max_objects_without_approval` of the spec.
    """
    return not request.approved and max(objects, request.together) > limit


def approved(request: Request, by: Officer, *, now: datetime) -> Request:
    """Return the request with one more approval; it counts as approved once two people stand behind it.

    Who entered the request is one of the two; of one from the inbox nobody is known, so that it takes two approvals.

    Raises:
        InputError: the request is finished, or this person stands behind it already.
    """
    _refuse_finished(request)
    behind = {event.by for event in request.history if event.what == "approved"}
    behind |= {request.requested_by} if request.requested_by else set()
    if behind & by.known_as:
        raise InputError("this person has asked for or approved the request", remedy="let a second person approve it")
    enough = len(behind) + 1 >= _PEOPLE_FOR_A_LARGE_REQUEST
    return _with_event(request, "approved", by, now, "", approved=enough)


def decided_on_content(request: Request, by: Officer, choice: SharedContent, *, now: datetime) -> Request:
    """Return the request with a person's decision about bytes that another subject holds too.

    Raises:
        InputError: the request is finished.
    """
    _refuse_finished(request)
    return _with_event(request, "shared content", by, now, choice, shared_content=choice)


def extended(request: Request, by: Officer, *, months: int, reason: ExtensionReason, now: datetime) -> Request:
    """Return the request with a later deadline: once, by one or two months, before the first one passes.

    GDPR article 12(3); the person must be told within the first month.

    Raises:
        InputError: finished, overdue, extended before, or by another number of months.
    """
    _refuse_finished(request)
    if request.is_overdue(now):
        raise InputError("the request is overdue; it cannot be extended any more", remedy="carry it out at once")
    if any(event.what == "extended" for event in request.history):
        raise InputError("the request was extended before", remedy=_SEE_STATUS)
    if months not in (1, 2):
        raise InputError(f"an extension of {months} months is not possible", remedy="give 1 or 2", months=months)
    return _with_event(request, "extended", by, now, reason, due_at=due(request.received_at, months=1 + months))


def lifted(request: Request, by: Officer, *, reason: LiftReason, now: datetime, begun: bool) -> Request:
    """Return the request with its suppression ended; one that was lifted before stays as it is.

    Args:
        request: the request.
        by: who decides.
        reason: it was a mistake, or the person consents again.
        now: the time of the decision.
        begun: the erasure has deleted something and is not finished.

    Raises:
        InputError: it is half carried out.
    """
    if request.state == "lifted":
        return request
    if begun and not request.is_finished:
        raise InputError(
            "the erasure has begun to delete; half of it cannot be taken back",
            remedy="let `labelloop erase run` finish it, then lift it",
        )
    return _with_event(request, "lifted", by, now, reason, state="lifted", reason="")


def _refuse_finished(request: Request) -> None:
    if request.is_finished:
        raise InputError(f"the request is {request.state}; nothing is left to decide", remedy=_SEE_STATUS)


def _with_event(request: Request, what: str, by: Officer, now: datetime, why: str, **changes: object) -> Request:
    event = Event.model_validate({"what": what, "at": now, "by": by.pseudonym, "reason": why})
    return request.model_copy(update={"history": (*request.history, event), **changes})
