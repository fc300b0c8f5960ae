"""Moves: read the bytes that tell whether a new object is a known reference that lies somewhere else now.

Bytes of a gone object are there as an old version, where the bucket keeps versions, or as the keyed digest that was
taken when the object came, where the spec asks for content digests. Without either nothing is taken for moved.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from labelloop.errors import ErasedError
from labelloop.moves import paired
from labelloop.sync import Diff
from tasks.arrivals import WHOLE_THREADS
from tasks.artifacts import progress
from tasks.clients.world import World

_Row = dict[str, Any]
_AT_ONCE = 1000  # old versions asked for before their digests are taken


def confirm_moves(world: World, diff: Diff) -> int:
    """Let new objects with the bytes of gone ones be the same references, and return how many there are.

    Args:
        world: the project's outside.
        diff: settled.
    """
    keeps_versions = world.media.keeps_versions(world.spec.media.bucket)
    gone = [
        row for row in diff.gone().to_pylist() if row["content_hmac"] or (keeps_versions and row["has_version_id"])
    ]
    arrived = diff.arrived(pa.array(sorted({row["size"] for row in gone}), pa.int64())).to_pylist() if gone else []
    if not arrived:
        return 0
    with progress(len(gone) + len(arrived), "comparing the bytes of moved objects") as bar:
        present = _digests_of_present(world, arrived, bar.advance)
        past = _digests_of_gone(world, gone, set(present.values()), bar.advance)
    moves = paired(_table(gone, past, "ref_id"), _table(arrived, present, "key"))
    diff.move(moves)
    return int(moves.num_rows)


def _digests_of_present(world: World, arrived: list[_Row], advance: Callable[[], None]) -> dict[str, str]:
    found = {}
    keys = [row["key"] for row in arrived]
    for key, data in world.media.read_many(world.spec.media.bucket, keys, threads=WHOLE_THREADS):
        found[key] = _sha256(data)
        advance()
    return found


def _digests_of_gone(
    world: World, gone: list[_Row], present: set[str], advance: Callable[[], None]
) -> dict[str, str | None]:
    """Return the digest of the bytes of each gone reference; a keyed one is looked for among those present."""
    kept = {row["ref_id"]: row for row in gone if row["content_hmac"]}
    found: dict[str, str | None] = {}
    for key_id in {row["content_key_id"] for row in kept.values()}:
        digests = sorted(present)
        known = dict(zip(world.keys.digests("content", digests, key_id=key_id), digests, strict=True))
        found |= {ref: known.get(row["content_hmac"]) for ref, row in kept.items() if row["content_key_id"] == key_id}
    for ref, digest in _read_old(world, [row for row in gone if row["ref_id"] not in kept]):
        found[ref] = digest
        advance()
    return found


def _read_old(world: World, gone: list[_Row]) -> Iterator[tuple[str, str | None]]:
    def digest(row: _Row) -> str | None:
        try:
            return _sha256(world.media.read(world.spec.media.bucket, row["key"], version_id=row["version"]))
        except ErasedError:
            return None

    with ThreadPoolExecutor(WHOLE_THREADS) as pool:
        for start in range(0, len(gone), _AT_ONCE):
            some = gone[start : start + _AT_ONCE]
            yield from zip((row["ref_id"] for row in some), pool.map(digest, some), strict=True)


def _table(rows: list[_Row], digests: dict[str, Any], name: str) -> pa.Table:
    text = (name, "key") if name != "key" else ("key",)
    columns = {column: pa.array([row[column] for row in rows], pa.string()) for column in text}
    columns |= {c: pa.array([row[c] for row in rows], pa.string()) for c in ("subject_hmac", "source_hmac")}
    columns["size"] = pa.array([row["size"] for row in rows], pa.int64())
    columns["digest"] = pa.array([digests.get(row[name]) for row in rows], pa.string())
    return pa.table(columns)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
