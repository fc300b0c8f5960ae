"""The Prefect server as seen from outside a run: is it there, does it take us, what has to be told to it.

Flows and tasks speak with it through Prefect itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import get_client
from prefect.events import Event, Resource
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from deployments.local.prefect_server import WORK_POOL
from labelloop.errors import AccessError, ConfigurationError, InputError, LabelloopError, UnavailableError

_SEE_URL = "check PREFECT_API_URL, which ends in /api, and that the server runs"


@contextmanager
def prefect_errors() -> Iterator[None]:
    """Turn errors of the Prefect client inside the block into ours.

    Raises:
        UnavailableError: no Prefect server answers, or it fails.
        AccessError: it refuses us.
    """
    try:
        yield
    except httpx.TransportError as error:
        raise UnavailableError(f"no Prefect server answers ({type(error).__name__})", remedy=_SEE_URL) from None
    except PrefectHTTPStatusError as error:
        raise _ours(error.response.status_code) from None


def reach_work_pool() -> str:
    """Return what the Prefect server says of our work pool; raises as `prefect_errors` too.

    Raises:
        ConfigurationError: no server is set; a flow would start one of its own.
        InputError: it has no such work pool.
    """
    if not (PREFECT_API_URL.value() or "").startswith(("http://", "https://")):
        raise ConfigurationError("PREFECT_API_URL is not set or no URL", remedy="set it, or run `labelloop up`")
    with prefect_errors(), get_client(sync_client=True) as client:
        try:
            pool = client.read_work_pool(WORK_POOL)
        except ObjectNotFound:
            remedy = f"{_SEE_URL}; deploy the flows"
            raise InputError(f"there is no work pool {WORK_POOL!r}", remedy=remedy) from None
    return f"work pool {WORK_POOL!r} is {'paused' if pool.is_paused else 'open'}"


def announce_erasure(request_id: str) -> None:
    """Tell the Prefect server that an erasure was asked for, which starts a run; without a server, nobody is told.

    Raises as `prefect_errors`.
    """
    if not PREFECT_API_URL.value():
        return
    event = Event(
        event="labelloop.erasure.requested",
        resource=Resource({"prefect.resource.id": "labelloop.erasure"}),
        payload={"request_id": request_id},
    )
    # Not `emit_event`: that hands it to a thread, which says nothing when the server is gone.
    with prefect_errors(), get_client(sync_client=True) as client:
        client.request("POST", "/events", json=[event.model_dump(mode="json")]).raise_for_status()


def _ours(status: int) -> LabelloopError:
    if status in (401, 403):
        remedy = "check PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
        return AccessError(f"the Prefect server refuses us (HTTP {status})", remedy=remedy)
    return UnavailableError(f"the Prefect server failed (HTTP {status})", remedy=f"{_SEE_URL}; see its log")
