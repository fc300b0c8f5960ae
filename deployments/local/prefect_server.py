"""The Prefect server of the local stack and the process worker that runs its flows."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from deployments.local import owner_only, ports
from deployments.local.home import CHECKOUT, Home
from deployments.local.server import Server

WORK_POOL = "labelloop"
_WORKER_OPTIONS = ("--type", "process", "--name", "local", "--with-healthcheck")


def prefect_server(home: Home, client_variables: Mapping[str, str]) -> Server:
    """Return the Prefect server of the home; `client_variables` are those every Prefect process gets."""
    url = home.url("prefect")
    return Server(
        name="prefect",
        url=url,
        health_path="/api/health",
        command=_prefect("server", "start", "--host", ports.LOOPBACK, "--port", str(home.ports["prefect"])),
        variables={
            **client_variables,
            "PREFECT_SERVER_API_AUTH_STRING": home.credentials.prefect_auth_string,
            "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": url,
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        },
        directory=home.root,
        boot_seconds=240,
        prepare=lambda: _make_home(home),
    )


def worker(home: Home, pipeline_variables: Mapping[str, str]) -> Server:
    """Return the worker of the home; its flows get `pipeline_variables`, the same as a flow run by hand."""
    return Server(
        name="worker",
        url=home.url("worker"),
        health_path="/health",
        command=_prefect("worker", "start", "--pool", WORK_POOL, *_WORKER_OPTIONS),
        variables={
            **pipeline_variables,
            # Who starts a flow in the UI looks on: by default a worker asks for new runs every 10 seconds.
            "PREFECT_WORKER_QUERY_SECONDS": "2",
            "PREFECT_WORKER_WEBSERVER_HOST": ports.LOOPBACK,
            "PREFECT_WORKER_WEBSERVER_PORT": str(home.ports["worker"]),
        },
        directory=CHECKOUT,
        boot_seconds=120,
        # Flow runs are asked to end first and may need a moment to reach their next safe point.
        end_seconds=30,
    )


def _prefect(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "prefect", "--no-prompt", *words)


def _make_home(home: Home) -> None:
    owner_only.make_directory(home.root / "prefect")
