"""Membership in a random share of units, fixed for life: it needs no memory and no order."""

from __future__ import annotations

import hashlib


def in_share(share: float, *name: str) -> bool:
    """Return whether what bears this name belongs to a share of all, drawn by its digest.

    Args:
        share: 0 to 1.
        name: what the draw is for, the project, the unit; other purposes are drawn independently.

    >>> in_share(1.0, "overlap", "p", "u1"), in_share(0.0, "overlap", "p", "u1")
    (True, False)
    """
    digest = hashlib.sha256("/".join(name).encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share
