"""What an erasure reaches of the media: versions, delete markers and unfinished uploads, in every replica."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from labelloop.erasure.plan import Plan
from labelloop.errors import ConfigurationError, HeldByLaw, UnavailableError
from tasks.artifacts import progress
from tasks.clients.lease import Lease
from tasks.clients.media_store import Hold, MediaStore, Upload
from tasks.clients.s3 import split_uri
from tasks.clients.world import World

# A server may need a moment, or refuse some of a request at random; more rounds than this are no longer a moment.
_ROUNDS = 12


@dataclass(frozen=True)
class Copy:
    """One object in one bucket, the owner's or a replica, and the store it lies in."""

    store: MediaStore
    bucket: str
    key: str

    def versions(self) -> list[str]:
        """Return every version and delete marker."""
        return [version.version_id for version in self.store.versions(self.bucket, self.key)]

    def uploads(self) -> list[Upload]:
        """Return the unfinished uploads of exactly this key."""
        return [upload for upload in self.store.uploads(self.bucket, self.key) if upload.key == self.key]

    def holds(self) -> dict[str, Hold]:
        """Return what forbids the deletion of its versions."""
        versions = [v.version_id for v in self.store.versions(self.bucket, self.key) if not v.is_delete_marker]
        found = {version: self.store.hold(self.bucket, self.key, version) for version in versions}
        return {version: hold for version, hold in found.items() if hold}


def refuse_undeclared_replicas(worlds: Sequence[World]) -> None:
    """Pass if every bucket that media is copied to is declared, and neither lake nor vault is copied anywhere.

    Raises:
        ConfigurationError: a copy would survive the erasure; nothing was changed.
    """
    for bucket in sorted({world.spec.media.bucket for world in worlds}):
        declared = {bucket, *(name for name, _ in _replicas(worlds, bucket))}
        undeclared = worlds[0].media.replication_targets(bucket) - declared
        _refuse(undeclared, "media", "name that bucket in media.replicas, so that it is erased too")
    settings = worlds[0].settings
    for uri in (settings.lake_uri, settings.vault_uri):
        copies = worlds[0].media.replication_targets(split_uri(uri)[0])
        _refuse(copies, "the lake or the vault", "end that replication: an erasure does not reach the copies")


def count_media(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many versions (with delete markers) and unfinished uploads of the objects there are."""
    copies = list(_copies(worlds, plan))
    return {
        "media_versions": sum(len(copy.versions()) for copy in copies),
        "media_uploads": sum(len(copy.uploads()) for copy in copies),
    }


def erase_media(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Destroy every version, delete marker and unfinished upload of the objects that is not held.

    Raises:
        UnavailableError: the server keeps what it may delete, whatever it answered.
    """
    copies = list(_copies(worlds, plan))
    holds = [copy.holds() for copy in copies]  # all are asked before the first is deleted
    with progress(len(copies), "destroying media") as bar:
        for copy, held in zip(copies, holds, strict=True):
            _destroy(copy, held, lease)
            bar.advance()


def holds_on(worlds: Sequence[World], plan: Plan) -> list[Hold]:
    """Return what forbids the deletion of any version of the objects now."""
    return [hold for copy in _copies(worlds, plan) for hold in copy.holds().values()]


def held_objects(worlds: Sequence[World], plan: Plan) -> frozenset[tuple[str, str]]:
    """Return the objects of the plan of which any version, in any replica, is held."""
    held = [one for one in plan.objects if any(copy.holds() for copy in _copies_of(worlds, *one))]
    return frozenset(held)


def refuse_holds(held: Sequence[Hold]) -> None:
    """Pass if nothing is held.

    Raises:
        HeldByLaw: with the modes, the last date and who can lift them, and no name of an object.
    """
    if held:
        dates = [hold.until for hold in held if hold.until]
        until = f" until {max(dates).date().isoformat()}" if dates else ""
        modes = sorted({hold.mode for hold in held})
        raise HeldByLaw(
            f"{len(held)} version(s) of media are held ({' and '.join(modes)}{until}; "
            f"{'; '.join(lifted_by(mode) for mode in modes)})",
            remedy="restricted, not erased; the next run after the hold ends or is lifted completes it",
            versions=len(held),
        )


def lifted_by(mode: str) -> str:
    """Return who can end a hold of this mode.

    >>> lifted_by("compliance")
    'nobody can end compliance mode before its date'
    """
    return {
        "legal hold": "who may s3:PutObjectLegalHold can lift the legal hold",
        "governance": "who may s3:BypassGovernanceRetention can shorten governance mode",
        "compliance": "nobody can end compliance mode before its date",
    }.get(mode, "the owner of the bucket knows who can end it")


def _copies(worlds: Sequence[World], plan: Plan) -> Iterator[Copy]:
    for bucket, key in plan.objects:
        yield from _copies_of(worlds, bucket, key)


def _copies_of(worlds: Sequence[World], bucket: str, key: str) -> Iterator[Copy]:
    yield Copy(worlds[0].media, bucket, key)
    for replica, endpoint in _replicas(worlds, bucket):
        yield Copy(worlds[0].media_at(endpoint), replica, key)


def _replicas(worlds: Iterable[World], bucket: str) -> list[tuple[str, str | None]]:
    declared = (world.spec.media.replicas for world in worlds if world.spec.media.bucket == bucket)
    return sorted({(one.bucket, one.endpoint) for replicas in declared for one in replicas}, key=str)


def _refuse(undeclared: Iterable[str], what: str, remedy: str) -> None:
    if names := sorted(undeclared):
        raise ConfigurationError(f"the server copies {what} to {', '.join(map(repr, names))}", remedy=remedy)


def _destroy(copy: Copy, held: dict[str, Hold], lease: Lease) -> None:
    """Delete until a listing shows nothing but held versions; what the server answers is not believed."""
    for _ in range(_ROUNDS):
        going = [version for version in copy.versions() if version not in held]
        uploads = copy.uploads()
        if not going and not uploads:
            return
        lease.check()
        copy.store.delete_versions(copy.bucket, copy.key, going)
        for upload in uploads:
            copy.store.delete_upload(copy.bucket, upload)
    if copy.uploads() or set(copy.versions()) - set(held):
        raise UnavailableError(
            f"S3 still lists versions of an object after {_ROUNDS} deletions", remedy="run the erasure again later"
        )
