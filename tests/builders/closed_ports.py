"""Addresses at which nothing answers."""

from __future__ import annotations

import socket
from typing import Final

_held: Final[list[socket.socket]] = []


def closed_port() -> str:
    """Return the address of a port that refuses every connection for as long as the tests run.

    It is bound, so nobody else gets it, and nobody listens there.
    """
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    _held.append(bound)
    return f"http://127.0.0.1:{bound.getsockname()[1]}"
