"""One user's connection to Label Studio: the SDK's client, and the one place where its errors become ours."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import httpx

from labelloop.errors import AccessError, Conflict, ErasedError, InputError, LabelloopError, UnavailableError

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

# What the refusal says, and what is to be done then; the server answers 401 to all of them.
_REFUSALS = {
    "legacy token authentication has been disabled": "the organisation allows no legacy tokens: set "
    "LABELLOOP_LABEL_STUDIO_TOKEN to a personal access token, or allow them (Organization, Access Token Settings)",
    "expired": "the personal access token has expired: make a new one and set LABELLOOP_LABEL_STUDIO_TOKEN to it",
    "blacklisted": "the personal access token was revoked: make a new one and set LABELLOOP_LABEL_STUDIO_TOKEN to it",
    "credentials were not provided": "the organisation allows no personal access tokens: set "
    "LABELLOOP_LABEL_STUDIO_TOKEN to a legacy token, or allow them (Organization, Access Token Settings)",
}
_REFUSED_REMEDY = "check LABELLOOP_LABEL_STUDIO_TOKEN, and that the organisation allows this kind of token"
_INTERFACE_REMEDY = "`labelloop interface validate` with --server tells why it does not take the interface"
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


def http_client(timeout_seconds: float, **options: Any) -> httpx.Client:
    """Return a client that no proxy and no .netrc can redirect or re-authenticate, and that logs no address."""
    # At INFO it would log whole addresses: those of an invite hold a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.Client(timeout=timeout_seconds, trust_env=False, **options)


class Connection:
    """Requests to one server on behalf of one user."""

    def __init__(
        self, url: str, token: str, timeout_seconds: float, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """Talk to `url` with a legacy token (40 hex digits) or a personal access token (a JWT).

        `clock` gives seconds, and never goes back.
        """
        self.address = without_user(url)
        self._token, self._timeout, self._clock = token.strip(), timeout_seconds, clock
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
            raise AccessError("the token of Label Studio is none: empty, or not in ASCII", remedy=_REFUSED_REMEDY)
        return LabelStudio(
            base_url=f"{self.address}/",  # without the slash it would renew tokens outside of a path prefix
            api_key=self._token,
            httpx_client=self._http,
            max_retries=0,  # its default repeats a POST after a lost reply: an import would arrive twice
        )

    @cached_property
    def _http(self) -> httpx.Client:
        return http_client(self._timeout)


@contextmanager
def our_errors(address: str, what: str) -> Iterator[None]:
    """Turn what the SDK or its transport raises within the block into our errors, told without what was sent."""
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.core.parse_error import ParsingError

    try:
        yield
    except ApiError as error:
        raise _refusal(error.status_code or 0, error.body, what, address) from None
    except httpx.HTTPStatusError as error:
        raise _refusal(error.response.status_code, None, what, address) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError(
            f"Label Studio at {address} did not answer while {what} ({type(error).__name__})",
            remedy="check LABELLOOP_LABEL_STUDIO_URL and that the server runs",
        ) from None
    except (ParsingError, ValueError):  # neither JSON nor of the shape that was asked for
        raise _stranger(what, address) from None


def _refusal(status: int, body: Any, what: str, address: str) -> LabelloopError:
    if status < 400:
        return _stranger(what, address)
    if status in (401, 403):
        return AccessError(
            f"Label Studio at {address} refused us while {what} (HTTP {status})", remedy=_remedy(str(body))
        )
    if status == 404:
        return ErasedError(f"Label Studio has nothing there while {what} (HTTP 404)", remedy="run collect")
    if status == 409:
        return Conflict(f"Label Studio has that already while {what}", remedy="look before sending it again")
    if status >= 500 or status in (408, 429):
        return UnavailableError(
            f"Label Studio failed while {what} (HTTP {status})", remedy="retry later; see its log"
        )
    # The body may repeat what was sent, so only the names of the refused fields are told.
    fields = _fields(body)
    told = f", fields {fields}" if fields else ""
    remedy = _INTERFACE_REMEDY if "label_config" in fields else "mend what was sent"
    return InputError(f"Label Studio refused {what} (HTTP {status}{told})", remedy=remedy)


def _remedy(refusal: str) -> str:
    return next((remedy for said, remedy in _REFUSALS.items() if said in refusal), _REFUSED_REMEDY)


def _stranger(what: str, address: str) -> UnavailableError:
    return UnavailableError(
        f"what answers at {address} while {what} does not speak as Label Studio does",
        remedy="check LABELLOOP_LABEL_STUDIO_URL",
    )


def _fields(body: Any) -> list[str]:
    refused = body.get("validation_errors") if isinstance(body, dict) else None
    return sorted(refused) if isinstance(refused, dict) else []
