"""Purge: destroy what deleted rows left behind in files, logs and old S3 versions of the lake's tables."""

from __future__ import annotations

from collections.abc import Collection

from prefect import task

from labelloop.contracts import all_contracts
from labelloop.summary import Summary
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.quarantine import expire
from tasks.clients.s3 import split_uri
from tasks.clients.world import World
from tasks.exclusive import LABELLING, PUBLISHING, erasing, exclusive
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage

# The training set is published as files, not kept as a Delta table.
_TABLES = tuple(rules.name for rules in all_contracts() if rules.name != "training_set")


@task(name="purge", description="Destroy what deleted rows left behind", **OUTSIDE)
def purge(project: str) -> dict[str, object]:
    """End the time of quarantined rows, then destroy what deleted rows left behind in the project's tables."""
    with stage(project, "purge") as (world, _), erasing(world) as lease:
        with exclusive(world.neighbours(), (*LABELLING, *PUBLISHING)):
            counts = {"expired": expire(world, lease), "files": purge_tables(world, lease, _TABLES)}
        return finish(Summary(stage="purge", counts=counts))


def purge_tables(world: World, lease: Lease, names: Collection[str]) -> int:
    """Destroy all that the newest version of each table does not need, and return how many files went.

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
