"""Receipts: the signed, chained proof of an erasure; counts, times and digests, never an identifier.

A receipt is verified offline with the receipt key alone. Its digest covers the receipt before it, so none can be
changed, removed or put in between unnoticed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labelloop.errors import InputError

_HEX64 = r"^[0-9a-f]{64}$"


class SinkCount(BaseModel):
    """What was found in one place when the plan was frozen, and what a second look found after the erasure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    found: int = Field(ge=0)
    remaining: int = Field(ge=0)


class Receipt(BaseModel):
    """One row of the contract `receipts`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receipt_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    request_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    issued_at: datetime
    previous_digest: str | None = Field(default=None, pattern=_HEX64)
    digest: str = Field(pattern=_HEX64)
    signature: str = Field(pattern=_HEX64)
    payload: str


def canonical(payload: Mapping[str, Any]) -> str:
    """Return the one JSON text of a payload: sorted names, no blanks, UTF-8.

    >>> canonical({"b": 1, "a": [2]})
    '{"a":[2],"b":1}'
    """
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def issue(
    payload: Mapping[str, Any],
    *,
    receipt_id: str,
    request_id: str,
    issued_at: datetime,
    previous_digest: str | None,
    key: bytes,
) -> Receipt:
    """Return the signed receipt of an erasure.

    digest = SHA-256(receipt id, request id, time, previous digest, payload), each on its line;
    signature = HMAC-SHA-256(key, digest), RFC 2104.

    Args:
        payload: what was done; must hold no identifier.
        receipt_id: 32 hexadecimal digits.
        request_id: the request it answers.
        issued_at: the time of signing, with time zone.
        previous_digest: digest of the receipt before; None for the first.
        key: the receipt key.
    """
    text = canonical(payload)
    digest = _digest(receipt_id, request_id, issued_at, previous_digest, text)
    return Receipt(
        receipt_id=receipt_id,
        request_id=request_id,
        issued_at=issued_at,
        previous_digest=previous_digest,
        digest=digest,
        signature=_signature(digest, key),
        payload=text,
    )


def verify(receipt: Receipt, key: bytes) -> None:
    """Pass if the receipt is exactly what was issued under this key.

    Raises:
        InputError: anything of it was changed, or another key signed it.
    """
    expected = _digest(
        receipt.receipt_id, receipt.request_id, receipt.issued_at, receipt.previous_digest, receipt.payload
    )
    if not hmac.compare_digest(expected, receipt.digest):
        raise InputError("the receipt was changed: its digest does not fit", remedy="ask for the original")
    if not hmac.compare_digest(_signature(receipt.digest, key), receipt.signature):
        raise InputError("the receipt is not signed with this receipt key", remedy="check LABELLOOP_RECEIPT_KEY")


def verify_chain(receipts: Sequence[Receipt], key: bytes) -> None:
    """Pass if every receipt is genuine and each but the first names exactly one before it.

    Raises:
        InputError: a receipt was changed, or one is missing from or added to the chain.
    """
    for receipt in receipts:
        verify(receipt, key)
    digests = {receipt.digest for receipt in receipts}
    previous = [receipt.previous_digest for receipt in receipts]
    # One beginning, every other link known, none used twice: a single line through all receipts.
    if receipts and (
        previous.count(None) != 1 or len(set(previous)) != len(previous) or not set(previous) <= digests | {None}
    ):
        raise InputError("the chain of receipts is broken", remedy="compare with the receipts that were handed out")


def last_digest(receipts: Sequence[Receipt]) -> str | None:
    """Return the digest no other receipt names as the one before it; None without receipts."""
    named = {receipt.previous_digest for receipt in receipts}
    return next((receipt.digest for receipt in receipts if receipt.digest not in named), None)


def read_receipt(text: str) -> Receipt:
    """Return the receipt in a JSON text.

    Raises:
        InputError: it is no receipt.
    """
    try:
        return Receipt.model_validate_json(text)
    except ValidationError as error:
        fields = sorted({".".join(map(str, e["loc"])) or "file" for e in error.errors(include_input=False)})
        raise InputError(
            f"the file is no receipt ({', '.join(fields)})", remedy="give the file `labelloop receipt show` wrote"
        ) from None


def _digest(receipt_id: str, request_id: str, issued_at: datetime, previous_digest: str | None, payload: str) -> str:
    lines = (receipt_id, request_id, issued_at.isoformat(), previous_digest or "", payload)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _signature(digest: str, key: bytes) -> str:
    return hmac.digest(key, digest.encode(), "sha256").hex()
