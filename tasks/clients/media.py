"""Objects in the buckets of an S3 server, every version of them; `media_store.py` says what each call promises."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from labelloop.errors import ErasedError
from tasks.clients.listing import Listing
from tasks.clients.media_store import Hold, ObjectVersion, Upload
from tasks.clients.s3 import s3_errors

_DELETE_BATCH = 1000
_PIECE = 2**20  # bytes
_NO_LOCK = {"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest", "NoSuchKey"}
_NO_LOCK |= {"NoSuchVersion", "NoSuchObjectLegalHold", "MethodNotAllowed", "NotImplemented"}
# Servers that cannot copy buckets say that they do not know the question.
_NO_REPLICATION = {"ReplicationConfigurationNotFoundError", "NotImplemented", "MethodNotAllowed"}


class S3MediaStore:
    """Buckets of an S3 server."""

    def __init__(self, client: Any) -> None:
        """Work through a boto3 client, which may be shared by threads."""
        self._client = client
        self._listing = Listing(client)
        self._versioned: dict[str, bool] = {}

    def keeps_versions(self, bucket: str) -> bool:
        """Return whether the bucket keeps, or ever kept, versions."""
        if bucket not in self._versioned:
            with s3_errors("asking whether the bucket keeps versions"):
                self._versioned[bucket] = "Status" in self._client.get_bucket_versioning(Bucket=bucket)
        return self._versioned[bucket]

    def list(self, bucket: str, prefix: str = "") -> Iterator[pa.RecordBatch]:
        """Yield the present objects below the prefix, each once, in no order, in batches of the LISTING schema."""
        yield from self._listing.objects(bucket, prefix, versioned=self.keeps_versions(bucket))

    def keys_ever(self, bucket: str, prefix: str = "") -> Iterator[str]:
        """Yield each key below the prefix that has any version or delete marker, once."""
        for page in self._pages("list_object_versions", bucket, prefix):
            yield from dict.fromkeys(item["Key"] for item in _both(page))

    def read(self, bucket: str, key: str, *, version_id: str | None = None, limit: int | None = None) -> bytes:
        """Return the bytes, at most `limit`; ErasedError if the object is not there."""
        more = {"VersionId": version_id} if version_id else {}
        if limit:
            more["Range"] = f"bytes=0-{limit - 1}"
        with s3_errors("reading an object"):
            try:
                return bytes(self._client.get_object(Bucket=bucket, Key=key, **more)["Body"].read())
            except ClientError as error:
                if error.response["Error"]["Code"] == "InvalidRange":  # an empty object has no first byte
                    return b""
                raise

    def fingerprint(self, bucket: str, key: str, *, version_id: str | None = None) -> tuple[int, str]:
        """Return size and SHA-256 (hexadecimal) of the bytes, read in pieces; ErasedError if it is not there."""
        size, digest = 0, hashlib.sha256()
        for piece in self._pieces(bucket, key, version_id):
            size += len(piece)
            digest.update(piece)
        return size, digest.hexdigest()

    def pieces(self, bucket: str, key: str) -> Iterator[bytes]:
        """Yield the bytes in pieces, so that a file of any size fits; ErasedError if the object is not there."""
        return self._pieces(bucket, key)

    def tags(self, bucket: str, key: str) -> dict[str, str]:
        """Return the object's tags; ErasedError if it is not there."""
        with s3_errors("reading the tags of an object"):
            found = self._client.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
            return {tag["Key"]: tag["Value"] for tag in found}

    def metadata(self, bucket: str, key: str) -> dict[str, str]:
        """Return the object's user metadata, names in small letters; ErasedError if it is not there."""
        with s3_errors("reading the metadata of an object"):
            return dict(self._client.head_object(Bucket=bucket, Key=key)["Metadata"])

    def read_many(
        self, bucket: str, keys: Sequence[str], *, threads: int = 16, limit: int | None = None
    ) -> Iterator[tuple[str, bytes]]:
        """Yield key and bytes in the order of `keys`; keys that are gone are left out. Memory holds 2 x threads."""
        waiting: deque[Any] = deque()
        with ThreadPoolExecutor(threads) as pool:
            for key in keys:
                waiting.append((key, pool.submit(self._read_if_there, bucket, key, limit)))
                if len(waiting) >= 2 * threads:
                    yield from _ready(*waiting.popleft())
            while waiting:
                yield from _ready(*waiting.popleft())

    def write(self, bucket: str, key: str, data: bytes, *, content_type: str) -> None:
        """Write one object."""
        with s3_errors("writing an object"):
            self._client.put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type)

    def versions(self, bucket: str, key: str) -> Sequence[ObjectVersion]:
        """Return every version and delete marker of exactly this key."""
        return [
            ObjectVersion(item["VersionId"], bool(item["IsLatest"]), "Size" not in item)
            for page in self._pages("list_object_versions", bucket, key)
            for item in _both(page)
            if item["Key"] == key  # the prefix `k` also lists `k.json`
        ]

    def hold(self, bucket: str, key: str, version_id: str) -> Hold | None:
        """Return what forbids the deletion of this version, or None."""
        where = {"Bucket": bucket, "Key": key, "VersionId": version_id}
        legal = self._lock("LegalHold", self._client.get_object_legal_hold, where)
        if legal.get("Status") == "ON":
            return Hold("legal hold")
        retention = self._lock("Retention", self._client.get_object_retention, where)
        return Hold(retention["Mode"].lower(), retention["RetainUntilDate"]) if retention.get("Mode") else None

    def delete_versions(self, bucket: str, key: str, version_ids: Sequence[str]) -> None:
        """Ask for the deletion of these versions; the answer is not believed, list again."""
        for start in range(0, len(version_ids), _DELETE_BATCH):
            wanted = [{"Key": key, "VersionId": v} for v in version_ids[start : start + _DELETE_BATCH]]
            with s3_errors("deleting versions of an object"):
                self._client.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})

    def uploads(self, bucket: str, prefix: str = "") -> Sequence[Upload]:
        """Return the unfinished multipart uploads of keys that start with the prefix."""
        pages = self._pages("list_multipart_uploads", bucket, prefix)
        return [Upload(item["Key"], item["UploadId"]) for page in pages for item in page.get("Uploads", [])]

    def delete_upload(self, bucket: str, upload: Upload) -> None:
        """Abort an unfinished upload with all its parts; absent is fine."""
        where = {"Bucket": bucket, "Key": upload.key, "UploadId": upload.upload_id}
        with suppress(ErasedError), s3_errors("aborting an unfinished upload"):
            self._client.abort_multipart_upload(**where)

    def replication_targets(self, bucket: str) -> frozenset[str]:
        """Return the buckets that the server copies this one to, by whatever rule, also one that is switched off."""
        with s3_errors("asking where the bucket is copied to"):
            try:
                found = self._client.get_bucket_replication(Bucket=bucket)
            except ClientError as error:
                if error.response["Error"]["Code"] in _NO_REPLICATION:
                    return frozenset()
                raise
        rules = found["ReplicationConfiguration"]["Rules"]
        return frozenset(rule["Destination"]["Bucket"].rpartition(":")[2] for rule in rules)

    def _pieces(self, bucket: str, key: str, version_id: str | None = None) -> Iterator[bytes]:
        more = {"VersionId": version_id} if version_id else {}
        with s3_errors("reading an object"):
            yield from self._client.get_object(Bucket=bucket, Key=key, **more)["Body"].iter_chunks(_PIECE)

    def _pages(self, operation: str, bucket: str, prefix: str) -> Iterator[Any]:
        with s3_errors("listing a bucket"):
            yield from self._client.get_paginator(operation).paginate(Bucket=bucket, Prefix=prefix)

    def _read_if_there(self, bucket: str, key: str, limit: int | None) -> bytes | None:
        try:
            return self.read(bucket, key, limit=limit)
        except ErasedError:
            return None

    def _lock(self, name: str, ask: Any, where: dict[str, str]) -> dict[str, Any]:
        """Return the lock settings of a version; a bucket without object lock answers with an error."""
        with s3_errors("asking for holds on an object"):
            try:
                return dict(ask(**where)[name])
            except ClientError as error:
                if error.response["Error"]["Code"] in _NO_LOCK:
                    return {}
                raise


def _both(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]


def _ready(key: str, future: Any) -> Iterator[tuple[str, bytes]]:
    data = future.result()
    if data is not None:
        yield key, data
