"""Erasing from each place; every function can be killed and called again."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.erasure.plan import Plan, ProjectReach
from labelloop.errors import HeldByLaw, UnavailableError
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.media import Hold
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure_reach import TABLES, keys_of, present_keys, present_tasks

# A server may need a moment, or lie; more rounds than this are no longer a moment.
_ATTEMPTS = 3


def restrict(world: World, lease: Lease, ref_ids: pa.ChunkedArray) -> None:
    """Take references out of every later stage."""
    references = world.table("references").read()
    wanted = pc.and_(
        pc.is_in(references["ref_id"], value_set=ref_ids), pc.not_equal(references["state"], "restricted")
    )
    rows = references.filter(wanted)
    state = pa.array(["restricted"] * rows.num_rows, pa.string())
    moment = pa.array([world.now()] * rows.num_rows, references.schema.field("changed_at").type)
    rows = rows.set_column(rows.schema.get_field_index("state"), "state", state)
    rows = rows.set_column(rows.schema.get_field_index("changed_at"), "changed_at", moment)
    commit(world, lease, "references", rows, stage="erasure")


def erase_tasks(world: World, lease: Lease, reach: ProjectReach) -> None:
    """Delete the units' tasks one by one: Label Studio's bulk deletion can leave rows that no API shows."""
    tasks = present_tasks(world, reach)
    with progress(len(tasks), "deleting tasks from Label Studio") as bar:
        for _, task_id in tasks:
            lease.check()
            world.label_studio.delete_task(task_id)
            bar.advance()


def erase_rows(world: World, lease: Lease, plan: Plan, reach: ProjectReach) -> None:
    """Delete the rows of the project's tables."""
    for table, column in TABLES.items():
        present = present_keys(world, table, column, keys_of(plan, reach, column))
        if present:
            world.table(table).delete(column, present, fence=lease.check)


def erase_media(world: World, lease: Lease, plan: Plan) -> None:
    """Destroy every version and delete marker of the objects.

    Raises:
        HeldByLaw: everything else is gone, but some versions are under a legal hold or retention.
        UnavailableError: the server keeps versions it may delete, whatever it answered.
    """
    held: list[Hold] = []
    with progress(len(plan.objects), "destroying media") as bar:
        for bucket, key in plan.objects:
            held += _destroy(world, lease, bucket, key)
            bar.advance()
    refuse_holds(held)


def erase_references(world: World, lease: Lease, plan: Plan) -> None:
    """Delete the references themselves, last, since they tell which objects are being erased."""
    present = present_keys(world, "references", "ref_id", plan.ref_ids)
    if present:
        world.table("references").delete("ref_id", present, fence=lease.check)


def holds_on(world: World, plan: Plan) -> list[Hold]:
    """Return what forbids the deletion of any version of the objects now."""
    return [hold for bucket, key in plan.objects for hold in _holds(world, bucket, key)]


def refuse_holds(held: list[Hold]) -> None:
    """Pass if nothing is held.

    Raises:
        HeldByLaw: with the modes and the last date, and no name of an object.
    """
    if held:
        dates = [hold.until for hold in held if hold.until]
        until = f" until {max(dates).date().isoformat()}" if dates else ""
        modes = " and ".join(sorted({hold.mode for hold in held}))
        raise HeldByLaw(
            f"{len(held)} version(s) of media are held ({modes}{until})",
            remedy="restricted, not erased; the next run after the hold ends or is lifted completes it",
            versions=len(held),
        )


def _destroy(world: World, lease: Lease, bucket: str, key: str) -> list[Hold]:
    """Delete until a listing shows nothing but held versions, and return their holds."""
    for _ in range(_ATTEMPTS):
        versions = world.media.versions(bucket, key)
        if not versions:
            return []
        lease.check()
        world.media.delete_versions(bucket, key, [version.version_id for version in versions])
        held, left = _holds(world, bucket, key), world.media.versions(bucket, key)
        if held and len(held) == sum(not version.is_delete_marker for version in left):
            return held
    if world.media.versions(bucket, key):
        raise UnavailableError(
            f"S3 still lists versions of an object after {_ATTEMPTS} deletions", remedy="run the erasure again later"
        )
    return []


def _holds(world: World, bucket: str, key: str) -> list[Hold]:
    versions = [v.version_id for v in world.media.versions(bucket, key) if not v.is_delete_marker]
    found = [world.media.hold(bucket, key, version_id) for version_id in versions]
    return [hold for hold in found if hold]
