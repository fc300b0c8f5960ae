"""Buckets in memory: versions, delete markers, holds, and delete replies that lie."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from labelloop.errors import ErasedError, InputError
from tasks.clients.listing import LISTING
from tasks.clients.media_store import Hold, ObjectVersion, Upload

_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Version:
    version_id: str
    data: bytes | None  # None: a delete marker
    modified: datetime
    hold: Hold | None = None
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass
class Bucket:
    versioned: bool
    objects: dict[str, list[Version]] = field(default_factory=dict)  # newest first
    uploads: list[Upload] = field(default_factory=list)
    copied_to: frozenset[str] = frozenset()


class MemoryMediaStore:
    """Does what S3MediaStore does; as many deletions as `lies` says for a bucket are answered and not done."""

    def __init__(self, *, page: int = 3) -> None:
        self.buckets: dict[str, Bucket] = {}
        self.lies: Counter[str] = Counter()
        self._page = page
        self._count = itertools.count(1)

    # What a test arranges.

    def make_bucket(self, bucket: str, *, versioned: bool = False, lockable: bool = False) -> None:
        self.buckets[bucket] = Bucket(versioned or lockable)

    def delete_plainly(self, bucket: str, key: str) -> None:
        found = self._bucket(bucket)
        if found.versioned:
            found.objects.setdefault(key, []).insert(0, self._version(None, versioned=True))
        else:
            found.objects.pop(key, None)

    def put_legal_hold(self, bucket: str, key: str, version_id: str, *, on: bool) -> None:
        self._find(bucket, key, version_id).hold = Hold("legal hold") if on else None

    def put_retention(self, bucket: str, key: str, version_id: str, mode: str, until: datetime) -> None:
        self._find(bucket, key, version_id).hold = Hold(mode, until)

    def begin_upload(self, bucket: str, key: str) -> None:
        self._bucket(bucket).uploads.append(Upload(key, f"upload-{next(self._count)}"))

    def describe(self, bucket: str, key: str, *, tags: dict[str, str], metadata: dict[str, str]) -> None:
        newest = self._find(bucket, key, None)
        newest.tags, newest.metadata = tags, {name.lower(): value for name, value in metadata.items()}

    # What the pipeline uses.

    def keeps_versions(self, bucket: str) -> bool:
        return self._bucket(bucket).versioned

    def list(self, bucket: str, prefix: str = "") -> Iterator[pa.RecordBatch]:
        found = self._bucket(bucket)
        rows = [
            {
                "key": key,
                "size": len(newest.data),
                "etag": _etag(newest.data),
                "version_id": newest.version_id if found.versioned else None,
                "last_modified": newest.modified,
            }
            for key, (newest, *_) in sorted(found.objects.items())
            if key.startswith(prefix) and newest.data is not None
        ]
        for start in range(0, len(rows), self._page):
            yield pa.RecordBatch.from_pylist(rows[start : start + self._page], schema=LISTING)

    def keys_ever(self, bucket: str, prefix: str = "") -> Iterator[str]:
        yield from (key for key in sorted(self._bucket(bucket).objects) if key.startswith(prefix))

    def read(self, bucket: str, key: str, *, version_id: str | None = None, limit: int | None = None) -> bytes:
        data = self._find(bucket, key, version_id).data
        if data is None:
            raise ErasedError("the object is not there while reading an object (NoSuchKey)")
        return data[:limit]

    def fingerprint(self, bucket: str, key: str, *, version_id: str | None = None) -> tuple[int, str]:
        data = self.read(bucket, key, version_id=version_id)
        return len(data), hashlib.sha256(data).hexdigest()

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        data = self.read(bucket, key)
        yield from (data[start : start + 7] for start in range(0, len(data), 7))

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        self.read(bucket, key, limit=1)
        return self._find(bucket, key, None).tags

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        self.read(bucket, key, limit=1)
        return self._find(bucket, key, None).metadata

    def read_many(
        self,
        bucket: str,
        keys: Sequence[str],
        *,
        threads: int = 16,
        limit: int | None = None,
    ) -> Iterator[tuple[str, bytes]]:
        for key in keys:
            try:
                yield key, self.read(bucket, key, limit=limit)
            except ErasedError:
                continue

    def write(self, bucket: str, key: str, data: bytes, *, content_type: str) -> None:
        found = self._bucket(bucket)
        older = found.objects.get(key, []) if found.versioned else []
        found.objects[key] = [self._version(data, versioned=found.versioned), *older]

    def versions(self, bucket: str, key: str) -> Sequence[ObjectVersion]:
        found = self._bucket(bucket).objects.get(key, [])
        return [ObjectVersion(v.version_id, i == 0, v.data is None) for i, v in enumerate(found)]

    def hold(self, bucket: str, key: str, version_id: str) -> Hold | None:
        versions = self._bucket(bucket).objects.get(key, [])
        return next((v.hold for v in versions if v.version_id == version_id), None)

    def delete_versions(self, bucket: str, key: str, version_ids: Sequence[str]) -> None:
        if self.lies[bucket] > 0:
            self.lies[bucket] -= 1
            return
        found = self._bucket(bucket).objects
        left = [v for v in found.get(key, []) if v.version_id not in set(version_ids) or v.hold]
        found.pop(key, None)
        if left:
            found[key] = left

    def uploads(self, bucket: str, prefix: str = "") -> Sequence[Upload]:
        return [upload for upload in self._bucket(bucket).uploads if upload.key.startswith(prefix)]

    def delete_upload(self, bucket: str, upload: Upload) -> None:
        found = self._bucket(bucket)
        found.uploads = [other for other in found.uploads if other != upload]

    def replication_targets(self, bucket: str) -> frozenset[str]:
        return self._bucket(bucket).copied_to

    def _bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            raise InputError("the bucket does not exist", remedy="create it or mend the spec or setting")
        return self.buckets[name]

    def _find(self, bucket: str, key: str, version_id: str | None) -> Version:
        for version in self._bucket(bucket).objects.get(key, []):
            if version_id in (None, version.version_id):
                return version
        raise ErasedError("the object is not there while reading an object (NoSuchKey)")

    def _version(self, data: bytes | None, *, versioned: bool) -> Version:
        number = next(self._count)
        return Version(f"v{number:08d}" if versioned else "null", data, _EPOCH + timedelta(seconds=number))


def _etag(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
