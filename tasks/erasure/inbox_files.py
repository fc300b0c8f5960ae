"""The files of the inbox as they lie in S3: where, by which ids they are known, and their destruction.

What a file says, and what becomes of it, is the part of `inbox.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labelloop.erasure.plan import Plan
from tasks.clients.lease import Lease
from tasks.clients.s3 import split_uri
from tasks.clients.world import World

File = dict[str, Any]  # a row of the listing
_ATTEMPTS = 3


def inbox_of(world: World) -> tuple[str, str]:
    """Return the bucket and the prefix of the inbox."""
    settings = world.settings
    bucket, prefix = split_uri(settings.erasure_inbox_uri or f"{settings.lake_uri.rstrip('/')}/inbox/erasure")
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def files_in(world: World) -> dict[str, File]:
    """Return the newest file of each key."""
    return {row["key"]: row for batch in world.media.list(*inbox_of(world)) for row in batch.to_pylist()}


def ids_of(world: World, key: str, version: str, part: str = "document") -> list[str]:
    """Return the id of a part of a file under every key, the current one's first: a rotation makes no new file.

    Args:
        world: whose inbox it is.
        key: of the file.
        version: what `version_of` says.
        part: the whole document, its refusal, or the number of a request in it.
    """
    name = "\0".join([inbox_of(world)[0], key, version, part])
    key_ids = sorted(world.keys.key_ids, key=lambda key_id: key_id != world.keys.current)
    return [world.keys.digest("inbox", name, key_id=key_id)[:32] for key_id in key_ids]


def version_of(file: File) -> str:
    """Return what tells a file from each other upload of its name, also one of the same bytes, which asks again."""
    return file["version_id"] or f"{file['etag']} {file['last_modified'].isoformat()}"


def is_destroyed(world: World, key: str, version_ids: Sequence[str]) -> bool:
    """Delete these versions of the file and return whether a new listing shows none of them."""
    bucket, _ = inbox_of(world)
    for _ in range(_ATTEMPTS):
        there = {version.version_id for version in world.media.versions(bucket, key)}.intersection(version_ids)
        if not there:
            return True
        world.media.delete_versions(bucket, key, sorted(there))
    return False


def count_inbox(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many of the files that the requests came from are still there."""
    return {"inbox_files": sum(1 for _ in _left(worlds[0], plan))}


def erase_inbox(worlds: Sequence[World], _: Lease, plan: Plan) -> None:
    """Destroy the files that the requests came from, where the server kept them when they were taken up."""
    for key, version_id in list(_left(worlds[0], plan)):
        is_destroyed(worlds[0], key, [version_id])


def _left(world: World, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield key and version of each file of the plan, whether or not it is the newest of its name."""
    if not plan.inbox_files:
        return
    newest, (bucket, prefix) = files_in(world), inbox_of(world)
    for key in world.media.keys_ever(bucket, prefix):
        for version in world.media.versions(bucket, key):
            told = version_of(newest[key]) if version.is_latest and key in newest else version.version_id
            if not set(plan.inbox_files).isdisjoint(ids_of(world, key, told)):
                yield key, version.version_id
