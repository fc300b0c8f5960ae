"""An erasure request: whom or what to forget, who was identified how, and until when."""

from __future__ import annotations

import calendar
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from labelloop.errors import InputError

_MAX_BYTES_OF_A_KEY = 1024  # S3's own limit


class Request(BaseModel):
    """The record of a request in hot state: how it stands, and what it names only in sealed form.

    `open`: to be carried out. `waiting`: larger than the limit, a person must approve it. `blocked`: a hold forbids a
    deletion. `done`: a receipt was issued and the sealed payload is gone. Suppression and restriction hold in all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    request_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    project: str
    state: Literal["open", "waiting", "blocked", "done"] = "open"
    reason: str = ""
    received_at: datetime
    due_at: datetime
    approved: bool = False
    payload: str | None = Field(default=None, description="sealed identifiers, base64")

    def is_overdue(self, now: datetime) -> bool:
        """Return whether the answer is late."""
        return self.state != "done" and now > self.due_at


class Identifiers(BaseModel):
    """What a request names: exact object keys, `/`-ended prefixes and data subjects, of one project's bucket."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    object_keys: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    verification: str = Field(min_length=1, max_length=500)

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

    @model_validator(mode="after")
    def _something_is_named(self) -> Identifiers:
        if not (self.object_keys or self.prefixes or self.subjects):
            raise ValueError("names no object key, prefix or subject; give at least one")
        return self


def read_request(text: str) -> Identifiers:
    """Return what the JSON text asks to forget.

    Raises:
        InputError: anything about it is wrong; every problem is named by its field, none by its value.

    >>> read_request('{"subjects": ["anna"], "verification": "letter 7"}').subjects
    ('anna',)
    """
    try:
        return Identifiers.model_validate(json.loads(text))
    except json.JSONDecodeError as error:
        raise InputError(
            f"the erasure request is not JSON (line {error.lineno}, column {error.colno})",
            remedy='write {"object_keys": [...], "prefixes": [...], "subjects": [...], "verification": "..."}',
        ) from None
    except ValidationError as error:
        problems = "; ".join(map(_problem, error.errors(include_input=False, include_url=False)))
        raise InputError(
            f"the erasure request was refused whole: {problems}", remedy="mend it and send it again"
        ) from None


def due(received_at: datetime) -> datetime:
    """Return the end of the calendar month a request must be answered in, clamped to the month's last day.

    GDPR article 12(3).

    >>> due(datetime(2026, 1, 31, 9)).isoformat()
    '2026-02-28T09:00:00'
    """
    year, month = divmod(received_at.year * 12 + received_at.month, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return received_at.replace(year=year, month=month + 1, day=min(received_at.day, last))


def _refuse(values: tuple[str, ...], wrong: Callable[[str], bool], what: str) -> None:
    places = [str(place) for place, value in enumerate(values) if wrong(value)]
    if places:
        raise ValueError(f"item {', '.join(places)} {what}")


def _problem(error: Any) -> str:
    # Only names of ours are repeated: an unknown field's name is the sender's text and may be an identifier.
    known = [str(part) for part in error["loc"] if isinstance(part, int) or part in Identifiers.model_fields]
    return f"{'.'.join(known) or 'request'}: {error['msg'].removeprefix('Value error, ')}"
