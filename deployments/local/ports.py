"""Free loopback ports, remembered per stack so that addresses stay the same across restarts.

Label Studio stores the address of the object store with each project: a port that moved at every start
would cut its tasks off from their media.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

LOOPBACK = "127.0.0.1"
# SeaweedFS serves gRPC at its HTTP port plus this, so a port is free when both are.
GRPC_OFFSET = 10_000
# Port and gRPC port both stay below 32768, where Linux starts to hand out ports to outgoing connections.
CANDIDATES = range(20_000, 22_700)


def is_free(port: int) -> bool:
    """Return whether a server could listen on the port and on its gRPC twin."""
    return _can_bind(port) and _can_bind(port + GRPC_OFFSET)


@contextmanager
def assigned(names: Iterable[str], earlier: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Lend a free port for each name: the earlier one where it still is free, else a new one.

    Nobody else is given them in the `with` block, at whose end servers should listen there.
    """
    candidates = random.SystemRandom().sample(CANDIDATES, len(CANDIDATES))
    with ExitStack() as claims:
        fresh = (port for port in candidates if port not in earlier.values() and _is_ours(port, claims))
        yield {
            name: earlier[name] if name in earlier and _is_ours(earlier[name], claims) else next(fresh)
            for name in names
        }


def _is_ours(port: int, claims: ExitStack) -> bool:
    """Claim a port, and return whether it is free; a server begins to listen seconds after it was given one."""
    claim = claims.enter_context(socket.socket(socket.AF_UNIX))
    try:
        claim.bind(f"\0labelloop-port-{port}")  # no file: it goes with whoever holds it
    except OSError:
        return False
    return is_free(port)


def _can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
