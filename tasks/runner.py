"""Who carries out task runs that are many: threads of this process, or workers of a Dask cluster, by one setting."""

from __future__ import annotations

import os
from typing import Any

from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from tasks.clients.settings import RunnerSettings


def task_runner() -> TaskRunner[Any]:
    """Return Dask's task runner where LABELLOOP_DASK_SCHEDULER names one, else a thread for each core.

    Each thread holds one shard in memory. Workers of a cluster need the same checkout and settings as this process.
    """
    address = RunnerSettings().dask_scheduler
    if not address:
        return ThreadPoolTaskRunner(max_workers=os.cpu_count())
    from prefect_dask.task_runners import DaskTaskRunner  # takes a second, and nobody else needs it

    return DaskTaskRunner(address=address)
