"""One session to Label Studio: tokens, time limits, and the one place where its errors become ours.

Plain requests and not the SDK: that repeats a POST by itself after a lost reply, and an import must never be
repeated blindly. Importing it also takes seconds in every process.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from labelloop.errors import AccessError, Conflict, ErasedError, InputError, LabelloopError, UnavailableError

_ACCESS_SECONDS = 240  # an access token made from a personal token lives 300 s
_REFUSED_REMEDY = "check LABELLOOP_LABEL_STUDIO_TOKEN, and that the organisation allows this kind of token"


def without_user(url: str) -> str:
    """Return an address without its user and password.

    >>> without_user("https://me:secret@labels.test:8080/")
    'https://labels.test:8080'
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))


class Http:
    """Requests to one server on behalf of one user."""

    def __init__(self, url: str, token: str, timeout_seconds: float) -> None:
        """Talk to `url` with a legacy token (40 hex digits) or a personal access token (a JWT)."""
        self.address = without_user(url)
        self._token, self._timeout = token, timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # neither proxies nor a .netrc may redirect or re-authenticate us
        self._access, self._access_until = "", 0.0

    def get(self, path: str, what: str, **options: Any) -> Any:
        """Return the JSON at a path; `what` names the act in errors, never a person or an object."""
        return self.request("GET", path, what, **options)

    def post(self, path: str, what: str, **options: Any) -> Any:
        """Send a POST and return the JSON of the answer."""
        return self.request("POST", path, what, **options)

    def patch(self, path: str, what: str, **options: Any) -> Any:
        """Send a PATCH and return the JSON of the answer."""
        return self.request("PATCH", path, what, **options)

    def delete(self, path: str, what: str) -> None:
        """Delete what is at the path; absent is fine."""
        try:
            self.request("DELETE", path, what)
        except ErasedError:
            return

    def request(self, method: str, path: str, what: str, **options: Any) -> Any:
        """Send one request, never a second time, and return its JSON (None for an empty answer).

        Raises:
            UnavailableError: no answer, a time-out (the server may still do it), or a failure of the server.
            AccessError: the token is refused.
            ErasedError: there is nothing at the path.
            InputError: the server refuses the request.
        """
        headers = {"Authorization": self._authorization()}
        return self._send(method, path, what, headers=headers, **options)

    def _authorization(self) -> str:
        if self._token.count(".") != 2:
            return f"Token {self._token}"
        if time.monotonic() >= self._access_until:
            answer = self._send("POST", "/api/token/refresh/", "renewing access", json={"refresh": self._token})
            self._access, self._access_until = answer["access"], time.monotonic() + _ACCESS_SECONDS
        return f"Bearer {self._access}"

    def _send(self, method: str, path: str, what: str, **options: Any) -> Any:
        try:
            answer = self._session.request(method, self.address + path, timeout=self._timeout, **options)
        except requests.RequestException as error:
            raise UnavailableError(
                f"Label Studio at {self.address} did not answer while {what} ({type(error).__name__})",
                remedy="check LABELLOOP_LABEL_STUDIO_URL and that the server runs",
            ) from None
        if not answer.ok:
            raise _ours(answer, what, self.address)
        try:
            return answer.json() if answer.content else None
        except requests.JSONDecodeError:
            raise UnavailableError(
                f"what answers at {self.address} while {what} does not speak as Label Studio does",
                remedy="check LABELLOOP_LABEL_STUDIO_URL",
            ) from None


def _ours(answer: requests.Response, what: str, address: str) -> LabelloopError:
    status = answer.status_code
    if status in (401, 403):
        return AccessError(
            f"Label Studio at {address} refused us while {what} (HTTP {status})", remedy=_REFUSED_REMEDY
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
    return InputError(f"Label Studio refused {what} (HTTP {status}{_fields(answer)})", remedy="mend what was sent")


def _fields(answer: requests.Response) -> str:
    try:
        refused = answer.json().get("validation_errors") or {}
    except (requests.JSONDecodeError, AttributeError):
        return ""
    return f", fields {sorted(refused)}" if isinstance(refused, dict) and refused else ""
