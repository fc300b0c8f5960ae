"""Sweeping after dead processes: runs that still look alive in Prefect though nothing works on them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from prefect import get_client, task
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateName
from prefect.client.schemas.objects import FlowRun
from prefect.states import Crashed

from labelloop.summary import Summary
from tasks.policies import OUTSIDE
from tasks.stage import finish

_HEARTBEAT = "prefect.flow-run.heartbeat"
# Runs that wait for a process are swept as well: a killed worker leaves them where they are for ever.
_UNFINISHED = ["Running", "Submitting", "Pending", "Cancelling"]


@task(name="janitor", **OUTSIDE)
def janitor(silent_minutes: int) -> dict[str, object]:
    """Mark flow runs as crashed of which nothing was heard for so many minutes."""
    now = datetime.now(UTC)
    with get_client(sync_client=True) as client:
        state = FlowRunFilterState(name=FlowRunFilterStateName(any_=_UNFINISHED))
        found = client.read_flow_runs(flow_run_filter=FlowRunFilter(state=state), limit=200)
        beats = _last_heartbeats(client, since=now - timedelta(days=2))
        dead = silent(found, beats, now=now, limit=timedelta(minutes=silent_minutes))
        for run in dead:
            client.set_flow_run_state(run.id, Crashed(message="no sign of life; swept by the janitor"), force=True)
    return finish(Summary(stage="janitor", counts={"looked_at": len(found), "crashed": len(dead)}))


def silent(runs: list[FlowRun], beats: Mapping[str, datetime], *, now: datetime, limit: timedelta) -> list[FlowRun]:
    """Return the runs of which nothing was heard for longer than the limit.

    A running flow is judged by its heartbeats alone, and left alone if it never sent one (it runs without them); a
    run that waits for its process is judged by its last change of state.
    """
    dead = []
    for run in runs:
        last = beats.get(str(run.id)) if run.state_name == "Running" else run.updated
        if last is not None and now - last > limit:
            dead.append(run)
    return dead


def _last_heartbeats(client: SyncPrefectClient, *, since: datetime) -> dict[str, datetime]:
    """Return the newest heartbeat of each flow run, by its id; the server answers newest first."""
    wanted = {"event": {"name": [_HEARTBEAT]}, "occurred": {"since": since.isoformat()}, "order": "DESC"}
    answer = client._client.post("/events/filter", json={"filter": wanted, "limit": 50})
    beats: dict[str, datetime] = {}
    while True:
        page = answer.raise_for_status().json()
        for event in page["events"]:
            run = event["resource"]["prefect.resource.id"].removeprefix("prefect.flow-run.")
            beats.setdefault(run, datetime.fromisoformat(event["occurred"]))
        if not page.get("next_page"):
            return beats
        answer = client._client.get(page["next_page"])
