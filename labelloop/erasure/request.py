"""An erasure request: whom or what to forget, who was identified how, until when, and what people decided about it.

How a document becomes requests stands in `document.py`, what may be decided about one in `decisions.py`.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from labelloop.identity import source_identifier

_MAX_BYTES_OF_A_KEY = 1024  # S3's own limit
_ID = r"^[0-9a-f]{32}$"
_PSEUDONYM = r"^[0-9a-f]{64}$"
_DATE = "YYYY-MM-DD"


class Event(BaseModel):
    """What a person decided about a request, and when; the person is a pseudonym."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: Literal["approved", "shared content", "extended", "lifted"]
    at: datetime
    by: str = Field(pattern=_PSEUDONYM)
    reason: str = ""


class Request(BaseModel):
    """The record of a request in hot state: how it stands, and what it names only in sealed form.

    `open`: to be carried out. `waiting`: a person must decide. `blocked`: a hold forbids a deletion. `purging`: the
    receipt follows the daily purge. `done`: a receipt was issued and the sealed payload is gone. `lifted`: a person
    ended it, suppression and restriction too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: str = Field(pattern=_ID)
    project: str
    state: Literal["open", "waiting", "blocked", "purging", "done", "lifted"] = "open"
    reason: str = ""
    received_at: datetime
    due_at: datetime
    document: str | None = Field(default=None, pattern=_ID, description="shared by all requests of one document")
    together: int = Field(default=1, ge=1, description="requests in that document")
    in_inbox: bool = Field(default=False, description="the document was a file of the inbox")
    requested_by: str | None = Field(default=None, pattern=_PSEUDONYM, description="unknown for the inbox")
    approved: bool = False
    shared_content: Literal["suppress", "leave"] | None = Field(
        default=None, description="what a person decided about bytes that another subject holds too"
    )
    history: tuple[Event, ...] = ()
    payload: str | None = Field(default=None, description="sealed identifiers, base64")

    @property
    def is_finished(self) -> bool:
        """Return whether nothing is left to be carried out."""
        return self.state in ("done", "lifted")

    @property
    def inbox_files(self) -> tuple[str, ...]:
        """Return the id of the file of the inbox that it came from, if it did."""
        return (self.document,) if self.in_inbox and self.document else ()

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the answer is late."""
        return not self.is_finished and now > self.due_at

    def warning(self, now: datetime) -> Literal["", "50 %", "80 %", "overdue"]:
        """Return how much of the time for an answer is used up, once it is half of it; empty for what is finished."""
        if self.is_finished:
            return ""
        if self.is_overdue(now):
            return "overdue"
        used = (now - self.received_at) / (self.due_at - self.received_at)
        return "80 %" if used >= 0.8 else "50 %" if used >= 0.5 else ""


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:  # its own message would repeat a character
        raise ValueError("holds half a surrogate pair, which is no text") from None
    return text


_Text = Annotated[str, AfterValidator(_encodable)]


class Source(BaseModel):
    """An account or item on the platform that media came from."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    platform: _Text = Field(min_length=1, max_length=100, pattern=r"^[^:]*[^:\s][^:]*$")
    id: _Text = Field(min_length=1, max_length=1000, pattern=r"\S")

    @property
    def canonical(self) -> str:
        """Return the one form of it that is hashed."""
        return source_identifier(self.platform, self.id)


class Identifiers(BaseModel):
    """What a request names: exact object keys and `/`-ended prefixes of one bucket, data subjects, sources."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    object_keys: tuple[_Text, ...] = ()
    prefixes: tuple[_Text, ...] = ()
    subjects: tuple[_Text, ...] = ()
    sources: tuple[Source, ...] = ()
    verification: _Text = Field(
        min_length=1, max_length=500, pattern=r"\S", description="how the person was identified"
    )
    received_at: AwareDatetime | None = Field(default=None, description="when the letter came, if before its entry")

    @field_validator("object_keys", "prefixes")
    @classmethod
    def _keys_could_exist(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        _refuse(
            keys, lambda key: not 0 < len(key.encode()) <= _MAX_BYTES_OF_A_KEY, "is empty or longer than S3 allows"
        )
        return keys

    @field_validator("prefixes")
    @classmethod
    def _prefixes_end_a_segment(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        _refuse(
            prefixes, lambda prefix: not prefix.endswith("/"), "does not end with a slash, so it could cut a name"
        )
        return prefixes

    @field_validator("subjects")
    @classmethod
    def _subjects_are_not_blank(cls, subjects: tuple[str, ...]) -> tuple[str, ...]:
        _refuse(subjects, lambda subject: not subject.strip(), "is blank")
        return subjects

    @field_validator("received_at", mode="before")
    @classmethod
    def _a_day_begins_at_midnight(cls, given: object) -> object:
        if not isinstance(given, str | datetime | None):
            raise ValueError("is no date; write 2026-11-02 or 2026-11-02T10:00+01:00")
        # The earlier moment: the answer is due sooner rather than too late.
        return f"{given}T00:00:00Z" if isinstance(given, str) and len(given) == len(_DATE) else given

    @model_validator(mode="after")
    def _something_is_named(self) -> Identifiers:
        if not (self.object_keys or self.prefixes or self.subjects or self.sources):
            raise ValueError("names no object key, prefix, subject or source; give at least one")
        return self


def together(wanted: Sequence[Identifiers]) -> Identifiers:
    """Return one request that names what all of them name, verified and received as the first.

    >>> both = [Identifiers(subjects=(name,), verification="letter 7") for name in ("anna", "bert")]
    >>> together(both).subjects
    ('anna', 'bert')
    """
    return wanted[0].model_copy(
        update={
            "object_keys": tuple(key for one in wanted for key in one.object_keys),
            "prefixes": tuple(prefix for one in wanted for prefix in one.prefixes),
            "subjects": tuple(subject for one in wanted for subject in one.subjects),
            "sources": tuple(source for one in wanted for source in one.sources),
        }
    )


def due(received_at: datetime, *, months: int = 1) -> datetime:
    """Return the end of the calendar months a request must be answered in, clamped to the month's last day.

    GDPR article 12(3): one month, by extension up to three in all.

    >>> due(datetime(2026, 1, 31, 9)).isoformat()
    '2026-02-28T09:00:00'
    """
    year, month = divmod(received_at.year * 12 + received_at.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return received_at.replace(year=year, month=month + 1, day=min(received_at.day, last))


def _refuse(values: tuple[str, ...], wrong: Callable[[str], bool], what: str) -> None:
    places = [str(place) for place, value in enumerate(values) if wrong(value)]
    if places:
        raise ValueError(f"item {', '.join(places)} {what}")
