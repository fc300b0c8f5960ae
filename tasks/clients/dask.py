"""Dask as a runner of tasks: an existing cluster, and a named error where it does not answer."""

from __future__ import annotations

from typing import Any

from prefect_dask.client import PrefectDaskClient
from prefect_dask.task_runners import DaskTaskRunner

from labelloop.errors import UnavailableError

CONNECTING = "10s"


class DaskCluster(DaskTaskRunner):
    """The cluster of a scheduler, connected to when the first task is submitted."""

    def __init__(self, **given: Any) -> None:
        """Take what `DaskTaskRunner` takes."""
        super().__init__(**({"client_kwargs": {"timeout": CONNECTING}} | given))

    @property
    def client(self) -> PrefectDaskClient:
        """The connection to the scheduler.

        Raises:
            UnavailableError: no scheduler answers.
        """
        try:
            return super().client
        except OSError:  # time-outs are among them
            raise UnavailableError(
                "no Dask scheduler answers at LABELLOOP_DASK_SCHEDULER",
                remedy="start it, or leave the setting empty: then threads of this process do the work",
            ) from None
