"""The one place where errors of Label Studio's SDK and of its transport become ours, told without what was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from labelloop.errors import AccessError, Conflict, ErasedError, InputError, LabelloopError, UnavailableError
from tasks.clients.patience import LONGEST_WAIT, seconds_asked

# What the refusal says, and what is to be done then; the server answers 401 to all of them.
_REFUSALS = {
    "legacy token authentication has been disabled": "the organisation allows no legacy tokens: set "
    "LABELLOOP_LABEL_STUDIO_TOKEN to a personal access token, or allow them (Organization, Access Token Settings)",
    "expired": "the personal access token has expired: make a new one and set LABELLOOP_LABEL_STUDIO_TOKEN to it",
    "blacklisted": "the personal access token was revoked: make a new one and set LABELLOOP_LABEL_STUDIO_TOKEN to it",
    "credentials were not provided": "the organisation allows no personal access tokens: set "
    "LABELLOOP_LABEL_STUDIO_TOKEN to a legacy token, or allow them (Organization, Access Token Settings)",
}
REFUSED_REMEDY = "check LABELLOOP_LABEL_STUDIO_TOKEN, and that the organisation allows this kind of token"
_INTERFACE_REMEDY = "`labelloop interface validate` with --server tells why it does not take the interface"


@contextmanager
def our_errors(address: str, what: str) -> Iterator[None]:
    """Turn what the SDK or its transport raises within the block into our errors, told without what was sent."""
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.core.parse_error import ParsingError

    try:
        yield
    except ApiError as error:
        raise _refusal(error.status_code or 0, error.body, error.headers or {}, what, address) from None
    except httpx.HTTPStatusError as error:
        answer = error.response
        raise _refusal(answer.status_code, _body(answer), answer.headers, what, address) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError(
            f"Label Studio at {address} did not answer while {what} ({type(error).__name__})",
            remedy="check LABELLOOP_LABEL_STUDIO_URL and that the server runs",
        ) from None
    except (ParsingError, ValueError):  # neither JSON nor of the shape that was asked for
        raise _stranger(what, address) from None


def _body(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def _refusal(status: int, body: Any, headers: Mapping[str, str], what: str, address: str) -> LabelloopError:
    # A proxy whose server is just starting says 404 too, with a page of its own: nothing has gone because of that.
    if status < 400 or (status == 404 and not isinstance(body, dict)):
        return _stranger(what, address)
    if status in (401, 403):
        return AccessError(
            f"Label Studio at {address} refused us while {what} (HTTP {status})", remedy=_remedy(str(body))
        )
    if status == 404:
        return ErasedError(f"Label Studio has nothing there while {what} (HTTP 404)", remedy="run collect")
    if status == 409:
        return Conflict(f"Label Studio has that already while {what}", remedy="look before sending it again")
    if status == 429 or seconds_asked(headers):
        return _put_off(status, seconds_asked(headers), what, address)
    if status >= 500 or status == 408:
        return UnavailableError(
            f"Label Studio failed while {what} (HTTP {status})", remedy="retry later; see its log"
        )
    # The body may repeat what was sent, so only the names of the refused fields are told.
    fields = _fields(body)
    told = f", fields {fields}" if fields else ""
    remedy = _INTERFACE_REMEDY if "label_config" in fields else "mend what was sent"
    return InputError(f"Label Studio refused {what} (HTTP {status}{told})", remedy=remedy)


def _put_off(status: int, asked: float, what: str, address: str) -> UnavailableError:
    told = f" and asks for {asked:.0f} s" if asked else ""
    remedy = "run again after that" if asked > LONGEST_WAIT else "run again later, or raise its limit of requests"
    return UnavailableError(
        f"Label Studio at {address}, or a proxy before it, takes no more requests for now while {what} "
        f"(HTTP {status}){told}",
        remedy=remedy,
    )


def _remedy(refusal: str) -> str:
    return next((remedy for said, remedy in _REFUSALS.items() if said in refusal), REFUSED_REMEDY)


def _stranger(what: str, address: str) -> UnavailableError:
    return UnavailableError(
        f"what answers at {address} while {what} does not speak as Label Studio does",
        remedy="check LABELLOOP_LABEL_STUDIO_URL, and whether a proxy before it shows a page of its own",
    )


def _fields(body: Any) -> list[str]:
    refused = body.get("validation_errors") if isinstance(body, dict) else None
    return sorted(refused) if isinstance(refused, dict) else []
