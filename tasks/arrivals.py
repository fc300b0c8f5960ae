"""Arriving objects: which may come in, and what is kept of them; called by sync for what is new, changed or back.

Suppressed objects are never read, others only as far as needed: their first bytes tell what they are.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Refusal
from labelloop.erasure.suppression import Suppressions
from labelloop.media_type import HEAD_BYTES, settled_type
from labelloop.scope import NOT_THE_MEDIA
from labelloop.sync import ADMITTED, Diff
from tasks.artifacts import progress
from tasks.clients.sources import identified
from tasks.clients.world import World

LACKS_ID = "the id that media.subject_id or media.platform_id asks for is not there or cannot be read; write it"
WHOLE_THREADS = 4  # each holds two objects of up to media.max_bytes
_Row = dict[str, Any]


def admit_arriving(world: World, diff: Diff, in_force: Suppressions, counts: Counter[str]) -> Iterator[Refusal]:
    """Let in what is media and not suppressed, and yield what is refused: no media by its bytes, or without its id.

    Args:
        world: the project's outside.
        diff: compared; its arriving objects are looked at in parts and admitted.
        in_force: what must not come back.
        counts: gets `suppressed`; its `added`, `changed` and `reappeared` say how much arrives.
    """
    total = sum(counts[kind] for kind in ("added", "changed", "reappeared"))
    with progress(total, "looking at new objects") as bar:
        for part in diff.arriving():
            arriving = identified(world, part)
            allowed = arriving.filter(pc.invert(_suppressed(world, arriving, in_force)))
            counts["suppressed"] += arriving.num_rows - allowed.num_rows
            waiting = allowed.filter(allowed["lacks_id"])["key"].to_pylist()
            allowed = allowed.filter(pc.invert(allowed["lacks_id"]))
            admitted, refused = _looked_at(world, allowed, in_force, counts)
            diff.admit(pa.Table.from_pylist(admitted, schema=ADMITTED))
            yield from refused
            yield from (refusal(world, key, LACKS_ID) for key in waiting)
            bar.advance(part.num_rows)


def refusal(world: World, key: str, rule: str) -> Refusal:
    """Return the refusal of an object, told apart by bucket and key."""
    bucket = world.spec.media.bucket
    return Refusal("references", f"{bucket}/{key}", rule, payload={"bucket": bucket, "key": key})


def _suppressed(world: World, arriving: pa.Table, in_force: Suppressions) -> pa.Array:
    subjects, sources = arriving["subject"].to_pylist(), arriving["source"].to_pylist()
    covered = in_force.cover(world.spec.media.bucket, arriving["key"].to_pylist(), subjects, sources)
    return pa.array(covered, pa.bool_())


def _looked_at(
    world: World, arriving: pa.Table, in_force: Suppressions, counts: Counter[str]
) -> tuple[list[_Row], list[Refusal]]:
    """Return the objects that come in, and the impostors; suppressed bytes are counted and stay out."""
    media, rows = world.spec.media, {row["key"]: row for row in _pseudonymous(world, arriving)}
    admitted, refused = [], []
    for key, data, whole in _read(world, arriving, in_force):
        promised, digest = rows[key].pop("promised"), hashlib.sha256(data).hexdigest() if whole else None
        settled = settled_type(world.spec.interface.media, promised, data[:HEAD_BYTES], media.types)
        if digest and in_force.cover_content([digest])[0]:
            counts["suppressed"] += 1
        elif settled:
            admitted.append({**rows[key], "media_type": settled, **_kept_digest(world, digest)})
        elif promised:
            refused.append(refusal(world, key, NOT_THE_MEDIA))
    return admitted, refused


def _read(world: World, arriving: pa.Table, in_force: Suppressions) -> Iterator[tuple[str, bytes, bool]]:
    """Yield key, bytes and whether these are all of it, which is read only where a digest is kept or compared."""
    media, keys = world.spec.media, arriving["key"].to_pylist()
    alike = in_force.may_cover_content(arriving["size"].to_pylist())
    whole = [key for key, may in zip(keys, alike, strict=True) if may or media.content_digests]
    for key, data in world.media.read_many(media.bucket, whole, threads=WHOLE_THREADS):
        yield key, data, True
    taken = set(whole)
    rest = [key for key in keys if key not in taken]
    for key, head in world.media.read_many(media.bucket, rest, limit=HEAD_BYTES):
        yield key, head, False


def _pseudonymous(world: World, arriving: pa.Table) -> list[_Row]:
    """Return `key, promised` and keyed digests of subject and source; an object without either needs no key id."""
    given = {kind: _digests(world, kind, arriving[kind].to_pylist()) for kind in ("subject", "source")}
    return [
        {
            "key": key,
            "promised": promised,
            "subject_hmac": subject,
            "source_hmac": source,
            "hmac_key_id": world.keys.current if subject or source else None,
        }
        for key, promised, subject, source in zip(
            arriving["key"].to_pylist(),
            arriving["promised"].to_pylist(),
            given["subject"],
            given["source"],
            strict=True,
        )
    ]


def _digests(world: World, kind: str, identifiers: list[str | None]) -> list[str | None]:
    named = sorted({one for one in identifiers if one})
    made = dict(zip(named, world.keys.digests(kind, named), strict=True))
    return [made[one] if one else None for one in identifiers]


def _kept_digest(world: World, digest: str | None) -> _Row:
    if digest is None or not world.spec.media.content_digests:
        return {}
    return {"content_hmac": world.keys.digest("content", digest), "content_key_id": world.keys.current}
