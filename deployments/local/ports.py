"""Free loopback ports, remembered per stack so that addresses stay the same across restarts.

Label Studio stores the address of the object store with each project: a port that moved at every start
would cut its tasks off from their media.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Mapping

LOOPBACK = "127.0.0.1"
# SeaweedFS serves gRPC at its HTTP port plus this, so a port is free when both are.
GRPC_OFFSET = 10_000
# Port and gRPC port both stay below 32768, where Linux starts to hand out ports to outgoing connections.
CANDIDATES = range(20_000, 22_700)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port and on its gRPC twin."""
    return _can_bind(port) and _can_bind(port + GRPC_OFFSET)


def assign(names: Iterable[str], earlier: Mapping[str, int]) -> dict[str, int]:
    """Return a free port for each name: the earlier one where it still is free, else a new one.

    Drawn at random, so that two stacks starting at the same moment do not pick the same ports.
    """
    ports: dict[str, int] = {}
    candidates = random.SystemRandom().sample(CANDIDATES, len(CANDIDATES))
    fresh = (port for port in candidates if port not in earlier.values() and is_free(port))
    for name in names:
        port = earlier.get(name)
        ports[name] = port if port is not None and is_free(port) else next(fresh)
    return ports


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
