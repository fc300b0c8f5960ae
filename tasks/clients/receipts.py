"""Receipts as the lake keeps them: one row each, chained in the order of issue."""

from __future__ import annotations

import base64
import binascii

from labelloop.erasure.receipt import Receipt
from labelloop.errors import ConfigurationError
from tasks.clients.lake import Lake
from tasks.clients.settings import Settings


def receipts(lake: Lake) -> list[Receipt]:
    """Return every receipt, oldest first."""
    rows = lake.table("receipts").read().sort_by([("issued_at", "ascending"), ("receipt_id", "ascending")])
    return [Receipt.model_validate(row) for row in rows.to_pylist()]


def receipt_key(settings: Settings) -> bytes:
    """Return the key that signs receipts.

    Raises:
        ConfigurationError: it is no base64, or shorter than 32 bytes.
    """
    try:
        key = base64.b64decode(settings.receipt_key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) < 32:
        raise ConfigurationError(
            "LABELLOOP_RECEIPT_KEY is not base64 of at least 32 bytes", remedy="set the key receipts are signed with"
        )
    return key
