"""Sync: bring the references up to date with the bucket; Label Studio's own storage sync is never used."""

from __future__ import annotations

import logging

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from labelloop.contracts import Refusal
from labelloop.erasure.suppression import Suppressions
from labelloop.identifiers import subject_ids
from labelloop.media_type import HEAD_BYTES, settled_type
from labelloop.summary import Summary
from labelloop.sync import (
    NOT_THE_MEDIA,
    admitted,
    changes,
    check_source,
    media_in_scope,
    updated_references,
)
from tasks.artifacts import progress, publish_table
from tasks.clients.lease import Lease
from tasks.clients.listing import LISTING
from tasks.clients.quarantine import quarantine
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.suppression import suppressions_in_force

_log = logging.getLogger(__name__)
_TOLD_EVERY = 100_000  # objects; boto3 lists some thousands a second
_TYPES = pa.schema([("key", pa.string()), ("media_type", pa.string())])
_ARRIVING = pa.array(["added", "changed", "reappeared"])


@task(name="sync", description="Find what is new, changed or missing in the bucket", **OUTSIDE)
def sync(project: str, accept_missing: bool = False) -> dict[str, object]:
    """Bring the references of a project's source up to date."""
    with stage(project, "sync") as (world, lease):
        return finish(sync_references(world, lease, accept_missing=accept_missing))


def sync_references(world: World, lease: Lease, *, accept_missing: bool = False) -> Summary:
    """Compare the bucket with the references and write what differs.

    Args:
        world: the project's outside.
        lease: held on (project, sync).
        accept_missing: a person has looked: however many objects are missing, they are really gone.

    Raises:
        SuppressionKeyError: the suppression keys cannot be verified.
        InputError: no such bucket, or nothing in it for this project.
        DecisionNeeded: more is missing than the spec allows.
    """
    media, in_force = world.spec.media, suppressions_in_force(world)
    listing = _listing(world)
    scoped = media_in_scope(listing, media, world.spec.interface.media)
    references = world.table("references").read()
    changed = changes(scoped.filter(pc.is_null(scoped["refusal"])), references, media)
    check_source(listing.num_rows, scoped.num_rows, changed, media, accept_missing=accept_missing)

    arriving = changed.filter(pc.is_in(changed["change"], value_set=_ARRIVING))
    allowed = _not_suppressed(arriving, in_force, world)
    types, no_media = _look_at(allowed, world)
    settled = admitted(changed, types)
    rows = updated_references(
        settled,
        references,
        bucket=media.bucket,
        subject_hmacs=_subject_hmacs(settled, world),
        key_id=world.keys.current,
        now=world.now(),
        new_id=world.new_id,
    )
    refused = commit(world, lease, "references", rows, stage="sync")
    found = [*_refusals(scoped, world), *no_media]
    quarantine(world, lease, found, stage="sync")
    counts = {kind: _count(settled, kind) for kind in ("added", "changed", "missing", "reappeared")}
    counts |= {"unchanged": _count(changed, "unchanged"), "refused": refused + len(found)}
    counts |= {"suppressed": arriving.num_rows - allowed.num_rows}
    publish_table("sync", [counts], "What the bucket holds against what was known")
    return Summary(stage="sync", counts=counts)


def _listing(world: World) -> pa.Table:
    batches, seen, told = [], 0, 0
    for batch in world.media.list(world.spec.media.bucket, world.spec.media.prefix):
        batches.append(batch)
        seen += batch.num_rows
        if seen - told >= _TOLD_EVERY:
            _log.info("listed %d objects", seen)
            told = seen
    return pa.Table.from_batches(batches, schema=LISTING)


def _not_suppressed(arriving: pa.Table, in_force: Suppressions, world: World) -> pa.Table:
    keys = arriving["key"].to_pylist()
    subjects = subject_ids(keys, world.spec.media.subject_pattern)
    covered = in_force.cover(world.spec.media.bucket, keys, subjects)
    return arriving.filter(pc.invert(pa.array(covered, pa.bool_())))


def _look_at(arriving: pa.Table, world: World) -> tuple[pa.Table, list[Refusal]]:
    """Read the first bytes of new objects; return key and media type of each that is media, and the impostors."""
    promised = dict(zip(arriving["key"].to_pylist(), arriving["promised"].to_pylist(), strict=True))
    types, impostors = [], []
    with progress(len(promised), "looking at new objects") as bar:
        for key, head in world.media.read_many(world.spec.media.bucket, list(promised), limit=HEAD_BYTES):
            settled = settled_type(world.spec.interface.media, promised[key], head)
            if settled:
                types.append({"key": key, "media_type": settled})
            elif promised[key]:
                impostors.append(_refusal(key, NOT_THE_MEDIA, world))
            bar.advance()
    return pa.Table.from_pylist(types, schema=_TYPES), impostors


def _subject_hmacs(changed: pa.Table, world: World) -> dict[str, str]:
    keys = changed.filter(pc.equal(changed["change"], "added"))["key"].to_pylist()
    named = [(k, s) for k, s in zip(keys, subject_ids(keys, world.spec.media.subject_pattern), strict=True) if s]
    hmacs = world.keys.digests("subject", [subject for _, subject in named])
    return {key: made for (key, _), made in zip(named, hmacs, strict=True)}


def _refusals(scoped: pa.Table, world: World) -> list[Refusal]:
    rows = scoped.filter(pc.is_valid(scoped["refusal"])).select(["key", "refusal"]).to_pylist()
    return [_refusal(row["key"], row["refusal"], world) for row in rows]


def _refusal(key: str, rule: str, world: World) -> Refusal:
    bucket = world.spec.media.bucket
    return Refusal("references", f"{bucket}/{key}", rule, payload={"bucket": bucket, "key": key})


def _count(changed: pa.Table, kind: str) -> int:
    return int(pc.sum(pc.equal(changed["change"], kind)).as_py() or 0)
