"""Who carries out task runs that are many: threads of this process, or workers of a Dask cluster, by one setting."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import Any, TypeVar

from prefect import Task
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from labelloop.errors import UnavailableError
from tasks.clients.settings import RunnerSettings

Job = TypeVar("Job")
Found = TypeVar("Found")

# How many jobs are submitted beyond what was taken of them; on Dask, results wait in the memory of its workers.
_AHEAD_PER_CORE = 2
_AHEAD_ON_DASK = 64


def task_runner() -> TaskRunner[Any]:
    """Return Dask's task runner where LABELLOOP_DASK_SCHEDULER names one, else a thread for each core.

    Each thread holds one shard in memory. Workers of a cluster need the same checkout and settings as this process.
    """
    address = RunnerSettings().dask_scheduler
    if not address:
        return ThreadPoolTaskRunner(max_workers=os.cpu_count())
    from tasks.clients.dask import DaskCluster  # takes a second, and nobody else needs it

    return DaskCluster(address=address)


def on_task_runner(work: Task[[str, Job], Found], project: str) -> Callable[[Sequence[Job]], Iterable[Found]]:
    """Return what carries jobs out as task runs: in threads or on Dask, as the runner of the flow decides.

    Results come in the order of the jobs, and are not held once they are taken. UnavailableError if the connection to
    the cluster is lost; what was taken before is not lost with it.
    """
    ahead = _AHEAD_ON_DASK if RunnerSettings().dask_scheduler else _AHEAD_PER_CORE * (os.cpu_count() or 1)

    def across(jobs: Sequence[Job]) -> Iterator[Found]:
        waiting: deque[Any] = deque()
        for job in jobs:
            waiting.append(work.submit(project, job))
            if len(waiting) > ahead:
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())

    return across


def _result(future: Any) -> Any:
    try:
        return future.result()
    except CancelledError:  # nobody here cancels: Dask does, once its scheduler is gone
        raise UnavailableError(
            "the connection to the Dask scheduler was lost", remedy="see that it runs, then run the stage again"
        ) from None
