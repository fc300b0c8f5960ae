"""The Prefect server as an operator asks about it; flows and tasks speak with it through Prefect itself."""

from __future__ import annotations

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.settings import PREFECT_API_URL

from deployments.local.prefect_server import WORK_POOL
from labelloop.errors import AccessError, ConfigurationError, InputError, UnavailableError

_SEE_URL = "check PREFECT_API_URL, which ends in /api"


def reach_work_pool() -> str:
    """Return what the Prefect server says of our work pool.

    Raises:
        ConfigurationError: no server is set; a flow would start one of its own.
        UnavailableError: no Prefect server answers.
        AccessError: it refuses us.
        InputError: it has no such work pool.
    """
    url = PREFECT_API_URL.value() or ""
    if not url.startswith(("http://", "https://")):
        raise ConfigurationError("PREFECT_API_URL is not set or no URL", remedy="set it, or run `labelloop up`")
    with get_client(sync_client=True) as client:
        if failure := client.api_healthcheck():
            raise UnavailableError(f"no Prefect server answers ({type(failure).__name__})", remedy=_SEE_URL)
        return _ask(client)


def _ask(client: SyncPrefectClient) -> str:
    try:
        pool = client.read_work_pool(WORK_POOL)
    except ObjectNotFound:
        raise InputError(f"there is no work pool {WORK_POOL!r}", remedy=f"{_SEE_URL}; deploy the flows") from None
    except PrefectHTTPStatusError as error:
        status = error.response.status_code
        if status in (401, 403):
            remedy = "check PREFECT_API_AUTH_STRING or PREFECT_API_KEY"
            raise AccessError(f"the Prefect server refuses us (HTTP {status})", remedy=remedy) from None
        raise UnavailableError(f"the Prefect server failed (HTTP {status})", remedy="see its log") from None
    return f"work pool {WORK_POOL!r} is {'paused' if pool.is_paused else 'open'}"
