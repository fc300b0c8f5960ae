"""Receipts: the signed, chained proof of an erasure; counts, times and digests, never an identifier.

A receipt is verified offline with the public key alone. Its digest covers the receipt before it; what a chain of them
must look like is said in `receipt_chain.py`. Keys and signatures are made in `tasks/clients/receipt_keys.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labelloop.errors import InputError

_HEX64 = r"^[0-9a-f]{64}$"
Outcome = Literal["erased", "blocked"]
# Says whether the key of this id made the signature of the message; a key that is not known made none.
Genuine = Callable[[str, bytes, bytes], bool]


@dataclass(frozen=True)
class Signer:
    """A private key by its name: `sign` returns the 64 bytes of an Ed25519 signature (RFC 8032)."""

    key_id: str
    sign: Callable[[bytes], bytes]


class Receipt(BaseModel):
    """One row of the contract `receipts`; `blocked` is the interim receipt of an erasure that a hold keeps open."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    receipt_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    request_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    outcome: Outcome
    issued_at: datetime
    previous_digest: str | None = Field(default=None, pattern=_HEX64)
    key_id: str = Field(pattern=r"^[0-9a-f]{16}$")
    digest: str = Field(pattern=_HEX64)
    signature: str = Field(pattern=r"^[0-9a-f]{128}$")
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
    outcome: Outcome,
    issued_at: datetime,
    previous_digest: str | None,
    signer: Signer,
) -> Receipt:
    """Return the signed receipt of an erasure.

    digest = SHA-256(receipt id, request id, outcome, time, previous digest, key id, payload), each on its line;
    signature = Ed25519(private key, digest).

    Args:
        payload: what was done; must hold no identifier.
        receipt_id: 32 hexadecimal digits.
        request_id: the request it answers.
        outcome: whether all is erased, or a hold still blocks some of it.
        issued_at: the time of signing, with time zone.
        previous_digest: digest of the receipt before; None for the first.
        signer: the private key.
    """
    unsigned = Receipt.model_construct(
        receipt_id=receipt_id,
        request_id=request_id,
        outcome=outcome,
        issued_at=issued_at,
        previous_digest=previous_digest,
        key_id=signer.key_id,
        digest="",
        signature="",
        payload=canonical(payload),
    )
    digest = _digest(unsigned)
    signed = dict(unsigned) | {"digest": digest, "signature": signer.sign(digest.encode()).hex()}
    return Receipt.model_validate(signed)


def verify(receipt: Receipt, genuine: Genuine) -> None:
    """Pass if the receipt is exactly what was issued under a key that `genuine` knows.

    Raises:
        InputError: anything of it was changed, or none of the known keys signed it.
    """
    if not hmac.compare_digest(_digest(receipt), receipt.digest):
        raise InputError("the receipt was changed: its digest does not fit", remedy="ask for the original")
    if not genuine(receipt.key_id, receipt.digest.encode(), bytes.fromhex(receipt.signature)):
        raise InputError(
            f"the receipt is not signed with a known receipt key (it names key {receipt.key_id})",
            remedy="give the public keys of the installation that issued it: `labelloop receipt key`",
        )


def receipt_text(receipt: Receipt) -> str:
    """Return the one text of a receipt's file: JSON in the order of the fields, one field a line, a line end last."""
    return json.dumps(receipt.model_dump(mode="json"), indent=1, ensure_ascii=True) + "\n"


def read_receipt(data: bytes) -> Receipt:
    """Return the receipt in a file.

    Raises:
        InputError: it is no receipt, or not byte for byte as `receipt_text` wrote it.
    """
    try:
        receipt = Receipt.model_validate_json(data)
    except ValidationError as error:
        known = {str(e["loc"][0]) for e in error.errors(include_input=False) if e["loc"]}
        fields = sorted(known & Receipt.model_fields.keys()) or ["file"]
        raise InputError(
            f"the file is no receipt ({', '.join(fields)})", remedy="give the file `labelloop receipt show` wrote"
        ) from None
    if receipt_text(receipt).encode() != data:
        raise InputError(
            "the receipt's file was changed", remedy="give the file as `labelloop receipt show` wrote it"
        )
    return receipt


def _digest(r: Receipt) -> str:
    moment = r.issued_at.isoformat()
    lines = (r.receipt_id, r.request_id, r.outcome, moment, r.previous_digest or "", r.key_id, r.payload)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
