"""What Prefect's log tells of a run that ends in one of our errors: its message, without the way through the code."""

from __future__ import annotations

import logging

from labelloop.errors import LabelloopError


def leave_out_tracebacks() -> None:
    """Keep tracebacks of named errors out of the logs of runs; the line of the failed state tells the error.

    At level DEBUG they stay. Safe to repeat.
    """
    for name in ("prefect.flow_runs", "prefect.task_runs"):
        logging.getLogger(name).addFilter(_is_worth_telling)


def _is_worth_telling(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, LabelloopError) or logging.getLogger(record.name).isEnabledFor(logging.DEBUG)
