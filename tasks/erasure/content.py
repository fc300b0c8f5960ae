"""Suppression by content: the same bytes stay away under any name, if the spec asks and nobody else holds them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.erasure.plan import Plan
from labelloop.erasure.request import Request
from labelloop.erasure.suppression import content_rows
from labelloop.errors import DecisionNeeded, ErasedError
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit

_Contents = set[tuple[int, str]]  # size and SHA-256
# Only bytes tell whether two objects are the same; of fixed-size media every object would have to be read.
_MOST_COMPARED = 10_000


def suppress_content(world: World, lease: Lease, request: Request, plan: Plan) -> None:
    """Suppress the bytes of everything the plan reaches; call it before any media is destroyed, again after a kill.

    Args:
        world: that of the request's project; its spec says whether content is suppressed at all.
        lease: held on the erasure.
        request: the request.
        plan: its frozen plan.

    Raises:
        DecisionNeeded: another subject holds some of the bytes, or more objects than can be compared have their
            size; nothing was written.
    """
    if not world.spec.erasure.suppress_content or _is_done(world, request.request_id):
        return
    contents = _contents(world, plan)
    if request.shared_content != "suppress":
        shared = _held_by_others(world, plan, contents)
        if shared and request.shared_content is None:
            raise DecisionNeeded(
                f"another subject holds the bytes of {len(shared)} of the {len(contents)} contents to be suppressed",
                remedy="`labelloop erase approve` with --shared-content leave, or suppress to keep theirs away too",
            )
        contents -= shared
    rows = content_rows(contents, world.keys, request_id=request.request_id, now=world.now())
    commit(world, lease, "suppressions", rows, stage="erasure")


def _is_done(world: World, request_id: str) -> bool:
    # All rows come in one commit; after it the media may be gone, and with it what they were made from.
    rows = world.table("suppressions").read(columns=["request_id", "kind"])
    return bool(pc.any(pc.and_(pc.equal(rows["request_id"], request_id), pc.equal(rows["kind"], "content"))).as_py())


def _contents(world: World, plan: Plan) -> _Contents:
    """Return what every version of every object holds, but for those without bytes."""
    found: _Contents = set()
    with progress(len(plan.objects), "reading content to be suppressed") as bar:
        for bucket, key in plan.objects:
            versions = [v.version_id for v in world.media.versions(bucket, key) if not v.is_delete_marker]
            found |= {world.media.fingerprint(bucket, key, version_id=version_id) for version_id in versions}
            bar.advance()
    return {(size, digest) for size, digest in found if size}


def _held_by_others(world: World, plan: Plan, contents: _Contents) -> _Contents:
    """Return those of the contents that are also the bytes of another subject's media."""
    candidates = _of_other_subjects(world, plan, {size for size, _ in contents})
    if candidates.num_rows > _MOST_COMPARED:
        raise DecisionNeeded(
            f"{candidates.num_rows} objects have the size of content to be suppressed, more than can be compared",
            remedy="`labelloop erase approve` with --shared-content suppress, which may keep others' media away",
        )
    shared: _Contents = set()
    with progress(candidates.num_rows, "comparing with media of other subjects") as bar:
        for row in candidates.select(["bucket", "key"]).to_pylist():
            shared |= {_fingerprint(world, row["bucket"], row["key"])} & contents
            bar.advance()
    return shared


def _of_other_subjects(world: World, plan: Plan, sizes: set[int]) -> pa.Table:
    """Return the references of one of the sizes that neither the plan nor a subject of it has."""
    columns = ["ref_id", "bucket", "key", "size", "subject_hmac"]
    references = world.table("references").read(columns=columns)
    planned = pc.is_in(references["ref_id"], value_set=pa.array(plan.ref_ids, pa.string()))
    subjects = references.filter(planned)["subject_hmac"].drop_null().combine_chunks()
    theirs = pc.or_(planned, pc.is_in(references["subject_hmac"], value_set=subjects))
    alike = pc.is_in(references["size"], value_set=pa.array(sorted(sizes), pa.int64()))
    return references.filter(pc.and_(alike, pc.invert(theirs)))


def _fingerprint(world: World, bucket: str, key: str) -> tuple[int, str]:
    try:
        return world.media.fingerprint(bucket, key)
    except ErasedError:
        return 0, ""
