"""Waiting where a server, or the proxy before it, asks for time: 429, and 503 with `Retry-After`.

What may have been carried out is never sent again here: a 429 was not taken, and after a 503 only a read is repeated.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

LONGEST_WAIT: Final = 120.0  # who asks for more is told to the person who runs us
_REPEATS: Final = 4
_log = logging.getLogger(__name__)

Wait = Callable[[float], None]


class PatientTransport(httpx.BaseTransport):
    """Sends a request again that the server put off, a few times, each time after a longer wait."""

    def __init__(self, inner: httpx.BaseTransport, *, wait: Wait = time.sleep) -> None:
        """Send by `inner`; `wait` lets some seconds pass."""
        self._inner, self._wait = inner, wait

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer, the last one if the server goes on asking for time."""
        for repeat in range(_REPEATS):
            response = self._inner.handle_request(request)
            asked = seconds_asked(response.headers)
            if not _is_put_off(request, response) or asked > LONGEST_WAIT:
                return response
            response.close()
            let_pass(pause(asked, repeat), self._wait)
        return self._inner.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()


def seconds_asked(headers: Mapping[str, str]) -> float:
    """Return how long `Retry-After` asks for (RFC 9110, 10.2.3), 0.0 where it says nothing that can be read.

    A date counts from the server's own `Date`, since its clock need not be ours.

    >>> seconds_asked({"Retry-After": "7"})
    7.0
    >>> seconds_asked({"Date": "Mon, 23 Nov 2026 01:00:00 GMT", "Retry-After": "Mon, 23 Nov 2026 01:01:30 GMT"})
    90.0
    >>> seconds_asked({"Retry-After": "soon"})
    0.0
    """
    given = httpx.Headers(headers)
    said = given.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(given["Date"])).total_seconds())
    except (KeyError, TypeError, ValueError):  # TypeError: one of the two dates has no zone
        return 0.0


def let_pass(seconds: float, wait: Wait) -> None:
    """Tell of a wait, then wait."""
    _log.warning("a server takes no more requests for now: waiting %.0f s", seconds)
    wait(seconds)


def pause(asked: float, repeat: int) -> float:
    """Return the seconds to wait: never less than was asked for, twice as long each time, and up to a quarter more.

    Without the last those who were put off together would come back together.
    """
    return max(asked, 2.0**repeat) * random.uniform(1.0, 1.25)  # noqa: S311 - it spreads requests, and hides nothing


def _is_put_off(request: httpx.Request, response: httpx.Response) -> bool:
    is_read = request.method in ("GET", "HEAD")
    return response.status_code == 429 or (
        is_read and response.status_code == 503 and "Retry-After" in response.headers
    )
