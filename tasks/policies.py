"""How often and how long: retry and time-out policies of task runs, by what may go wrong.

Retrying is decided by the class of the error, never by its text. Every effect is idempotent, so a retry is safe.
"""

from __future__ import annotations

from typing import Any

from labelloop.errors import UnavailableError


def is_worth_retrying(task: Any, run: Any, state: Any) -> bool:  # noqa: ARG001 - Prefect calls it with all three
    """Return whether waiting may help: only when a server did not answer."""
    failure = state.result(raise_on_failure=False)
    return isinstance(failure, UnavailableError)


# Two more tries cover a restart of a server (Label Studio needs 16-30 s to come back).
OUTSIDE: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [10, 40],
    "retry_jitter_factor": 0.25,  # projects that failed together do not come back together
    "retry_condition_fn": is_worth_retrying,
    "timeout_seconds": 3600,
}

# Arithmetic on the lake: only its reads and its one commit can meet a busy server.
INSIDE: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [5, 20],
    "retry_jitter_factor": 0.25,
    "retry_condition_fn": is_worth_retrying,
    "timeout_seconds": 3600,
}
