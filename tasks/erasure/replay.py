"""Replay: after a backup was restored, whatever is suppressed is found by its digests and erased again."""

from __future__ import annotations

from prefect import task

from labelloop.summary import Summary
from tasks.clients.world import World, open_world
from tasks.erasure.carry_out import carry_out_requests
from tasks.erasure.returned import ask_for_returned, recover_from_restore
from tasks.policies import OUTSIDE
from tasks.stage import finish
from tasks.suppression import suppressions_in_force


@task(name="erase-replay", description="Erase again what a restored backup brought back", **OUTSIDE)
def erasure_replay(project: str) -> dict[str, object]:
    """Erase again whatever is suppressed and back, in the whole lake."""
    return finish(replay_suppressions(open_world(project)))


def replay_suppressions(world: World) -> Summary:
    """Restore the suppressions that the lake has lost, ask for all that is back, and carry it out.

    The limit on large requests and the rules on holds apply as to any request. An erasure does the same by itself
    when it finds the lake behind the ledger; that Label Studio or a bucket is older shows by this search alone.

    Raises as `carry_out_requests`.
    """
    suppressions_in_force(world)
    counts = {"restored": recover_from_restore(world), "returned": ask_for_returned(world)}
    return Summary(stage="erase-replay", counts={**counts, **carry_out_requests(world).counts})
