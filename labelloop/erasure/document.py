"""A document of erasure requests: JSON, JSON Lines or CSV, taken whole or refused whole."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from labelloop.erasure.request import Identifiers, Source, together
from labelloop.errors import InputError

_FIELDS = {"object_key": "object_keys", "prefix": "prefixes", "subject": "subjects", "source": "sources"}
_COLUMNS = ("verification", "kind", "identifier")
_MORE_COLUMNS = ("platform", "received_at")
_BLANKS = re.compile(r"\s*")
_REMEDY = "mend it and send it again; docs/erasure.md shows the forms"
_Placed = tuple[str, Any]


class _Line(BaseModel):
    """One line of CSV: one identifier of a request."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    verification: str
    kind: Literal["object_key", "prefix", "subject", "source"]
    identifier: str
    platform: str | None = None
    received_at: str | None = None

    @model_validator(mode="after")
    def _sources_alone_have_a_platform(self) -> _Line:
        if (self.kind == "source") != bool(self.platform):
            raise ValueError("a platform is given for a source, and for nothing else")
        return self

    def request(self) -> Identifiers:
        named: Any = {"platform": self.platform, "id": self.identifier} if self.platform else self.identifier
        given = {"verification": self.verification, "received_at": self.received_at, _FIELDS[self.kind]: [named]}
        return Identifiers.model_validate(given)


_OURS = {*Identifiers.model_fields, *Source.model_fields, *_Line.model_fields}


def read_requests(text: str, *, now: datetime) -> list[Identifiers]:
    """Return every request of a document.

    JSON: one object, an array of objects, or objects one after another, each a request. CSV: columns `verification`,
    `kind` (object_key, prefix, subject, source), `identifier` and, where needed, `platform` and `received_at`; rows
    of one verification and arrival are one request.

    Args:
        text: the document; what begins with a bracket or brace is JSON.
        now: a request cannot have been received later.

    Raises:
        InputError: anything about it is wrong; every problem is named by its place, none by its value.

    >>> moment = datetime.fromisoformat("2026-11-02T12:00Z")
    >>> read_requests('{"subjects": ["anna"], "verification": "letter 7"}', now=moment)[0].subjects
    ('anna',)
    """
    text = text.removeprefix("\ufeff")  # which spreadsheets put first
    is_json = text.lstrip()[:1] in ("{", "[")
    placed = _from_json(text) if is_json else _from_csv(text)
    found, problems = [], [] if placed else ["it names no request"]
    for place, given in placed:
        try:
            found.append(Identifiers.model_validate(given) if is_json else _Line.model_validate(given).request())
        except ValidationError as error:
            problems += [place + _problem(e) for e in error.errors(include_input=False, include_url=False)]
            continue
        if (found[-1].received_at or now) > now:
            problems.append(f"{place}received_at: lies in the future")
    if problems:
        raise InputError(f"the erasure request was refused whole: {'; '.join(problems)}", remedy=_REMEDY)
    return found if is_json else _by_verification(found)


def _from_json(text: str) -> list[_Placed]:
    decoder, place, values = json.JSONDecoder(object_pairs_hook=_without_repetition), 0, []
    try:
        while (place := _BLANKS.match(text, place).end()) < len(text):  # type: ignore[union-attr]
            value, place = decoder.raw_decode(text, place)
            values += value if isinstance(value, list) else [value]
    except json.JSONDecodeError as error:
        raise InputError(
            f"the erasure request is not JSON (line {error.lineno}, column {error.colno})",
            remedy='write {"object_keys": [...], "prefixes": [...], "subjects": [...], "verification": "..."}',
        ) from None
    except RecursionError:
        raise InputError("the erasure request is nested too deeply", remedy=_REMEDY) from None
    return [(f"request {n}: " if len(values) > 1 else "", value) for n, value in enumerate(values, 1)]


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):  # JSON's readers keep the last, which would forget whom the first one names
        raise InputError("the erasure request was refused whole: a field stands in it twice", remedy=_REMEDY)
    return found


def _from_csv(text: str) -> list[_Placed]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(rows, []) if text.strip() else []
        _check_header(header)
        return [(f"line {rows.line_num}: ", _cells(header, row)) for row in rows if row]
    except csv.Error:
        raise InputError(f"the erasure request is not CSV (line {rows.line_num})", remedy=_REMEDY) from None


def _cells(header: list[str], row: list[str]) -> dict[str, str]:
    named = {name: cell for name, cell in zip(header, row, strict=False) if cell or name in _COLUMNS}
    return named | {f"cell {n}": "" for n in range(len(header), len(row))}


def _check_header(header: list[str]) -> None:
    if not header:
        raise InputError("the erasure request is empty", remedy=_REMEDY)
    missing = [name for name in _COLUMNS if name not in header]
    odd = [n for n, name in enumerate(header, 1) if name not in _COLUMNS + _MORE_COLUMNS or name in header[: n - 1]]
    problems = [f"the column {name} is missing" for name in missing]
    problems += [f"column {n} is unknown or repeated" for n in odd]
    if problems:
        raise InputError(f"the erasure request was refused whole: {'; '.join(problems)}", remedy=_REMEDY)


def _by_verification(found: Iterable[Identifiers]) -> list[Identifiers]:
    """Return one request for each verification and arrival, in the order they first stand in the document."""
    groups: dict[tuple[str, datetime | None], list[Identifiers]] = {}
    for one in found:
        groups.setdefault((one.verification, one.received_at), []).append(one)
    return [together(rows) for rows in groups.values()]


def _problem(error: Any) -> str:
    # Only names of ours are repeated: an unknown field's name is the sender's text and may be an identifier.
    known = [str(part) for part in error["loc"] if isinstance(part, int) or part in _OURS]
    return f"{'.'.join(known) or 'request'}: {error['msg'].removeprefix('Value error, ')}"
