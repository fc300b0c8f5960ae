"""One user's connection to Label Studio: the SDK's client, with tokens renewed in time."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from labelloop.errors import AccessError
from tasks.clients.label_studio_errors import REFUSED_REMEDY, our_errors
from tasks.clients.patience import PatientTransport, Wait

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

_TOKEN = re.compile("[!-~]+")
# An access token lives for 300 s by the server's clock, which need not be ours.
_RENEWED_AFTER = 240.0


def without_user(url: str) -> str:
    """Return an address without its user and password.

    >>> without_user("https://me:secret@labels.test:8080/")
    'https://labels.test:8080'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


def http_client(timeout_seconds: float, *, wait: Wait = time.sleep, **options: Any) -> httpx.Client:
    """Return a client that waits where the server asks for time, whose requests nothing redirects or logs.

    No proxy and no .netrc of the machine can redirect or re-authenticate them.
    """
    # At INFO it would log whole addresses: those of an invite hold a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    transport = PatientTransport(httpx.HTTPTransport(trust_env=False), wait=wait)
    return httpx.Client(timeout=timeout_seconds, trust_env=False, transport=transport, **options)


class Connection:
    """Requests to one server on behalf of one user."""

    def __init__(
        self,
        url: str,
        token: str,
        timeout_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait = time.sleep,
    ) -> None:
        """Talk to `url` with a legacy token (40 hex digits) or a personal access token (a JWT).

        `clock` gives seconds, and never goes back; `wait` lets some pass.
        """
        self.address = without_user(url)
        self._token, self._timeout, self._clock, self._wait = token.strip(), timeout_seconds, clock, wait
        self._made: tuple[float, LabelStudio] | None = None

    @contextmanager
    def asking(self, what: str) -> Iterator[LabelStudio]:
        """Lend the SDK's client; `what` names the act in errors, never a person or an object.

        Raises:
            UnavailableError: no answer, a time-out (the server may still do it), or a failure of the server.
            AccessError: the token is refused.
            ErasedError: there is nothing of that number.
            Conflict: the server has it already.
            InputError: the server refuses the request.
        """
        with our_errors(self.address, what):
            yield self._sdk()

    def _sdk(self) -> LabelStudio:
        """Return the client, made anew in time for another access token."""
        now = self._clock()
        if self._made is None or now - self._made[0] > _RENEWED_AFTER:
            self._made = now, self._client()
        return self._made[1]

    def _client(self) -> LabelStudio:
        from label_studio_sdk import LabelStudio  # takes two seconds, which a run without requests need not wait

        if not _TOKEN.fullmatch(self._token):
            raise AccessError("the token of Label Studio is none: empty, or not in ASCII", remedy=REFUSED_REMEDY)
        return LabelStudio(
            base_url=f"{self.address}/",  # without the slash it would renew tokens outside of a path prefix
            api_key=self._token,
            httpx_client=self._http,
            max_retries=0,  # its default repeats a POST after a lost reply: an import would arrive twice
        )

    @cached_property
    def _http(self) -> httpx.Client:
        return http_client(self._timeout, wait=self._wait, event_hooks={"response": [_refuse_page]})


def _refuse_page(response: httpx.Response) -> None:
    """Refuse a page said to be a success: whoever asked for a deletion would not look at what came."""
    if response.is_success and "html" in response.headers.get("Content-Type", ""):
        raise ValueError("a page, not an answer")
