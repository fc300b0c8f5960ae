"""Hot state: small JSON objects changed by conditional put, so that two writers cannot both win.

Leases, watermarks, round records, erasure requests and pointers live here, never in Delta.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from labelloop.errors import Conflict, ErasedError, UnavailableError
from tasks.clients.media import S3MediaStore
from tasks.clients.s3 import s3_errors, split_uri

Json = dict[str, Any]
_DELETE_ATTEMPTS = 4


@dataclass(frozen=True)
class Versioned:
    """A value and the etag it was read at."""

    value: Json
    etag: str


class HotState(Protocol):
    """What every store of hot state can do."""

    def get(self, key: str) -> Versioned | None:
        """Return the value at the key, or None."""

    def create(self, key: str, value: Json) -> str:
        """Write a new value and return its etag; Conflict if the key exists."""

    def replace(self, key: str, value: Json, etag: str) -> str:
        """Overwrite the value read at this etag; Conflict if it changed since."""

    def delete(self, key: str) -> None:
        """Remove the key and every older version of it; absent is fine."""

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below the prefix, sorted."""


class S3HotState:
    """Hot state in a bucket, by If-Match and If-None-Match."""

    def __init__(self, client: Any, uri: str) -> None:
        """Keep objects below `uri` through a boto3 client."""
        self._client = client
        self._bucket, prefix = split_uri(uri)
        self._prefix = f"{prefix.rstrip('/')}/" if prefix else ""

    def get(self, key: str) -> Versioned | None:
        """Return the value at the key, or None."""
        try:
            with s3_errors("reading hot state"):
                answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                return Versioned(json.loads(answer["Body"].read()), answer["ETag"])
        except ErasedError:
            return None

    def create(self, key: str, value: Json) -> str:
        """Write a new value and return its etag; Conflict if the key exists."""
        return self._put(key, value, IfNoneMatch="*")

    def replace(self, key: str, value: Json, etag: str) -> str:
        """Overwrite the value read at this etag; Conflict if it changed since."""
        return self._put(key, value, IfMatch=etag)

    def delete(self, key: str) -> None:
        """Remove the key and every older version of it; absent is fine."""
        objects = S3MediaStore(self._client)
        for _ in range(_DELETE_ATTEMPTS):
            versions = objects.versions(self._bucket, self._prefix + key)
            if not versions:
                return
            objects.delete_versions(self._bucket, self._prefix + key, [v.version_id for v in versions])
        raise UnavailableError("S3 keeps hot state that was deleted", remedy="retry later; look for object locks")

    def keys(self, prefix: str) -> list[str]:
        """Return the keys below the prefix, sorted."""
        with s3_errors("listing hot state"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix
            )
            found = [item["Key"].removeprefix(self._prefix) for page in pages for item in page.get("Contents", [])]
        return sorted(found)

    def _put(self, key: str, value: Json, **condition: str) -> str:
        body = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
        with s3_errors("writing hot state"):
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._prefix + key, Body=body, ContentType="application/json", **condition
            )
        return str(answer["ETag"])


def hot_state(client: Any, lake_uri: str) -> S3HotState:
    """Return the hot state of a lake, which lies below the lake's address."""
    return S3HotState(client, f"{lake_uri.rstrip('/')}/hot")


def update(hot: HotState, key: str, change: Callable[[Json | None], Json], *, attempts: int = 8) -> Json:
    """Apply `change` to the newest value at the key and return what was written.

    Args:
        hot: the store.
        key: which object.
        change: from the present value (None if absent) to the new one; called again after a lost race.
        attempts: races lost before giving up.

    Raises:
        Conflict: every attempt lost its race.
    """
    for _ in range(attempts):
        present = hot.get(key)
        value = change(present.value if present else None)
        if present and value == present.value:
            return value
        try:
            if present:
                hot.replace(key, value, present.etag)
            else:
                hot.create(key, value)
        except Conflict:
            continue
        return value
    raise Conflict(f"hot state was changed by others {attempts} times in a row", remedy="retry")
