"""The chain of receipts: each but the first names the one before it, so that none can be taken out or put in."""

from __future__ import annotations

from collections.abc import Sequence

from labelloop.erasure.receipt import Genuine, Receipt, verify
from labelloop.errors import InputError


def verify_chain(receipts: Sequence[Receipt], genuine: Genuine) -> None:
    """Pass if every receipt is genuine and each but the first names exactly one before it.

    Raises:
        InputError: a receipt was changed, or one is missing from or added to the chain.
    """
    for receipt in receipts:
        verify(receipt, genuine)
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
