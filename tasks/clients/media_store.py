"""What every store of objects can do, the owner's media and what labelloop publishes; `media.py` does it on S3.

Keys are compared exactly and survive any character S3 allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class ObjectVersion:
    """One version of one object, or a delete marker."""

    version_id: str
    is_latest: bool
    is_delete_marker: bool


@dataclass(frozen=True)
class Upload:
    """A multipart upload that was begun and not ended: its parts are kept, and no listing of objects shows them."""

    key: str
    upload_id: str


@dataclass(frozen=True)
class Hold:
    """Why a version must not be deleted: a legal hold, or a retention until a date."""

    mode: str
    until: datetime | None = None


class MediaStore(Protocol):
    """What every store of objects can do."""

    def keeps_versions(self, bucket: str) -> bool:
        """Return whether the bucket keeps, or ever kept, versions."""

    def list(self, bucket: str, prefix: str = "") -> Iterator[pa.RecordBatch]:
        """Yield the present objects below the prefix, each once, in no order, in batches of the LISTING schema."""

    def keys_ever(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Yield each key below the prefix that has any version or delete marker, once."""

    def read(self, bucket: str, key: str, *, version_id: str | None = None, limit: int | None = None) -> bytes:
        """Return the bytes, at most `limit`; ErasedError if the object is not there."""

    def fingerprint(self, bucket: str, key: str, *, version_id: str | None = None) -> tuple[int, str]:
        """Return size and SHA-256 (hexadecimal) of the bytes, read in pieces; ErasedError if it is not there."""

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the bytes in pieces, so that a file of any size fits; ErasedError if the object is not there."""

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        """Return the object's tags; ErasedError if it is not there."""

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """Return the object's user metadata, names in small letters; ErasedError if it is not there."""

    def read_many(
        self, bucket: str, keys: Sequence[str], *, threads: int = 16, limit: int | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes in the order of `keys`; keys that are gone are left out. Memory holds 2 x threads."""

    def write(self, bucket: str, key: str, data: bytes, *, content_type: str) -> None:
        """Write one object."""

    def versions(self, bucket: str, key: str) -> Sequence[ObjectVersion]:
        """Return every version and delete marker of exactly this key."""

    def hold(self, bucket: str, key: str, version_id: str) -> Hold | None:
        """Return what forbids the deletion of this version, or None."""

    def delete_versions(self, bucket: str, key: str, version_ids: Sequence[str]) -> None:
        """Ask for the deletion of these versions; the answer is not believed, list again."""

    def uploads(self, bucket: str, prefix: str = "") -> Sequence[Upload]:
        """Return the unfinished multipart uploads of keys that start with the prefix."""

    def delete_upload(self, bucket: str, upload: Upload) -> None:
        """Abort an unfinished upload with all its parts; absent is fine."""

    def replication_targets(self, bucket: str) -> frozenset[str]:
        """Return the buckets that the server copies this one to, by whatever rule, also one that is switched off."""
