"""Refused rows: what is kept of a row that broke a rule.

The reason is kept in clear, the row itself only as bytes that the caller has encrypted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from labelloop.contracts.contract import contract

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Refusal:
    """One row and one rule it broke.

    `row_key` tells the row from others of its table and may be an identifier: only its keyed digest is kept.
    `rule` is a word or a short sentence without any value; `payload` is what a person needs to mend the row.
    """

    contract: str
    row_key: str
    rule: str
    column: str | None = None
    payload: dict[str, Any] | None = None

    def plaintext(self) -> bytes:
        """Return the payload as JSON; times and bytes become text.

        >>> Refusal("units", "u1", "required", payload={"kind": None}).plaintext()
        b'{"kind": null}'
        """
        return json.dumps(self.payload or {}, default=_as_text, sort_keys=True).encode()


def refusals(name: str, rows: pa.Table, broken: Sequence[tuple[str, str, Sequence[int]]]) -> list[Refusal]:
    """Return one refusal per row and broken rule.

    Args:
        name: the contract.
        rows: the rows that were judged.
        broken: (rule, column, row numbers) for each rule that was broken.
    """
    numbers = sorted({number for _, _, failing in broken for number in failing})
    taken = dict(zip(numbers, rows.take(pa.array(numbers, pa.int64())).to_pylist(), strict=True))
    key = contract(name).primary_key
    return [
        Refusal(name, json.dumps([taken[n][k] for k in key], default=_as_text), rule, column, taken[n])
        for rule, column, failing in broken
        for n in failing
    ]


def quarantine_rows(
    found: Sequence[Refusal],
    payloads: Sequence[bytes],
    *,
    stage: str,
    now: datetime,
    digest: Callable[[str], str],
) -> pa.Table:
    """Return rows of the `quarantine` table, one per distinct refusal.

    Args:
        found: what was refused.
        payloads: the encrypted payload of each.
        stage: the stage that refused them.
        now: the time of refusal; payloads expire 30 days later.
        digest: keyed digest of a text, at least 32 hexadecimal digits, so that a row id re-identifies nothing.
    """
    rows = {}
    for refusal, payload in zip(found, payloads, strict=True):
        identity = [stage, refusal.contract, refusal.row_key, refusal.rule, refusal.column]
        row_id = digest(json.dumps(identity))[:32]
        rows[row_id] = {
            "row_id": row_id,
            "contract": refusal.contract,
            "rule": refusal.rule,
            "column": refusal.column,
            "stage": stage,
            "payload": payload,
            "expires_at": now + KEPT,
            "created_at": now,
        }
    return pa.Table.from_pylist(list(rows.values()), schema=contract("quarantine").schema)


def _as_text(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)
