"""Leftovers: what deleted rows leave behind in files, logs and S3 versions of tables, and in Label Studio's own."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labelloop.erasure.plan import Plan
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.s3 import split_uri
from tasks.clients.world import World
from tasks.erasure.rows import TABLES
from tasks.erasure.worlds import reached


def purge_tables(world: World, lease: Lease, names: Collection[str]) -> int:
    """Put small files of each table together, destroy what its newest version does not need; count files that went.

    Readers of older versions are cut off: hold `exclusive` meanwhile.
    """
    gone = 0
    with progress(len(names), "purging tables") as bar:
        for name in names:
            table = world.table(name)
            gone += table.purge(fence=lease.check)
            if table.uri.startswith("s3://"):
                gone += _destroy_old_versions(world, lease, table.uri)
            bar.advance()
    return gone


def purge_reached(worlds: Sequence[World], lease: Lease, plans: Collection[Plan]) -> None:
    """Purge, once each, the tables that erasures deleted rows of; Label Studio's own as well."""
    touched = {
        world.project: world
        for plan in plans
        for world, reach in reached(worlds, plan)
        if plan.ref_ids or reach.row_ids
    }
    for world in touched.values():
        purge_tables(world, lease, TABLES)
    if any(plan.ref_ids for plan in plans):
        purge_tables(worlds[0], lease, ["references"])
    if plans and worlds[0].orphans:
        lease.check()
        worlds[0].orphans.free_space()


def leftovers(worlds: Sequence[World], plan: Plan) -> int:
    """Return how many files of the tables that the plan reaches wait for a purge."""
    found = sum(
        world.table(name).leftovers()
        for world, reach in reached(worlds, plan)
        if plan.ref_ids or reach.row_ids
        for name in TABLES
    )
    return found + (worlds[0].table("references").leftovers() if plan.ref_ids else 0)


def _destroy_old_versions(world: World, lease: Lease, uri: str) -> int:
    """Destroy what a bucket that keeps versions still has of deleted and replaced files."""
    bucket, prefix = split_uri(f"{uri}/")
    if not world.media.keeps_versions(bucket):
        return 0
    gone = 0
    for key in list(world.media.keys_ever(bucket, prefix)):
        versions = world.media.versions(bucket, key)
        old = [v.version_id for v in versions if v.is_delete_marker or not v.is_latest]
        if old:
            lease.check()
            world.media.delete_versions(bucket, key, old)
            gone += len(old)
    return gone
