"""The present objects of a bucket, exact and fast: pages read into columns, prefixes listed side by side.

boto3 spends ten times as long on making a dict of each object as the server on finding it, and obstore changes keys.
So boto3 sends, signs and retries the requests, and lxml reads the objects of an answer before boto3 would.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree

from labelloop.errors import UnavailableError
from tasks.clients.s3 import s3_errors

LISTING = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("size", pa.int64(), nullable=False),
        pa.field("etag", pa.string(), nullable=False),
        pa.field("version_id", pa.string()),
        pa.field("last_modified", pa.timestamp("us", tz="UTC"), nullable=False),
    ]
)
_THREADS = 8
_PAGE_SIZE = 1000  # as large as S3 makes them
# With more prefixes on its first page, a folder is quicker read page by page than prefix by prefix.
_PREFIXES_ON_A_PAGE = 5
_FIELDS = ("Key", "Size", "ETag", "LastModified", "VersionId", "IsLatest")
_in_columns: ContextVar[bool] = ContextVar("in_columns", default=False)


@dataclass(frozen=True)
class _Step:
    """One request: the first page below a prefix, or a later one; by delimiter, only what lies directly below."""

    prefix: str
    by_delimiter: bool = False
    marker: dict[str, str] = field(default_factory=dict)


class Listing:
    """Lists buckets through a boto3 client, whose other answers stay as they are."""

    def __init__(self, client: Any, *, page_size: int = _PAGE_SIZE) -> None:
        """Work through a client, which may be shared by threads; tests ask for small pages."""
        self._client, self._page_size = client, page_size
        for operation in ("ListObjectsV2", "ListObjectVersions"):
            # By a pattern, to come before boto3's own look for errors, which reads all of an answer once more.
            event = f"before-parse.*.{operation}"
            client.meta.events.register(event, _read_objects, unique_id=f"labelloop-{event}")

    def objects(self, bucket: str, prefix: str, *, versioned: bool) -> Iterator[pa.RecordBatch]:
        """Yield the present objects below the prefix, each once, in no order, in batches of the LISTING schema.

        At most `_THREADS` pages are under way or in memory, however slowly they are taken.
        """
        todo, running = [_Step(prefix)], set[Future[Any]]()
        with ThreadPoolExecutor(_THREADS) as pool:
            while todo or running:
                while todo and len(running) < _THREADS:
                    running.add(pool.submit(self._take, todo.pop(), bucket, versioned))
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for batch, further in (future.result() for future in done):
                    todo += further  # the last one goes first, so that the list stays short
                    if batch.num_rows:
                        yield batch

    def _take(self, step: _Step, bucket: str, versioned: bool) -> tuple[pa.RecordBatch, list[_Step]]:
        """Return what one page holds, and the steps that follow from it."""
        page = self._page(step, bucket, versioned)
        batch: pa.RecordBatch = page["Columns"]
        marker = _marker(page)
        if marker and not step.marker and not step.by_delimiter and _worth_splitting(batch, step.prefix):
            return batch.slice(length=0), [_Step(step.prefix, by_delimiter=True)]
        later = [_Step(step.prefix, step.by_delimiter, marker)] if marker else []
        return batch, later + [_Step(below["Prefix"]) for below in page.get("CommonPrefixes", [])]

    def _page(self, step: _Step, bucket: str, versioned: bool) -> dict[str, Any]:
        ask = self._client.list_object_versions if versioned else self._client.list_objects_v2
        where = {"Bucket": bucket, "Prefix": step.prefix, "MaxKeys": self._page_size, **step.marker}
        if step.by_delimiter:
            where["Delimiter"] = "/"
        token = _in_columns.set(True)
        try:
            with s3_errors("listing a bucket"):
                page: dict[str, Any] = ask(**where)
        finally:
            _in_columns.reset(token)
        if "Columns" not in page:
            raise UnavailableError("S3 left out fields of objects while listing a bucket", remedy="retry later")
        return page


def _marker(page: dict[str, Any]) -> dict[str, str]:
    """Return the parameters that ask for the page after this one; none after the last."""
    if not page.get("IsTruncated"):
        return {}
    if "NextContinuationToken" in page:
        return {"ContinuationToken": page["NextContinuationToken"]}
    return {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page.get("NextVersionIdMarker", "")}


def _worth_splitting(batch: pa.RecordBatch, prefix: str) -> bool:
    """Return whether a full first page shows few prefixes, each with many objects."""
    below = [key[len(prefix) :].partition("/") for key in batch["key"].to_pylist()]
    nested = [name for name, slash, _ in below if slash]
    return 0 < len(set(nested)) <= _PREFIXES_ON_A_PAGE and 2 * len(nested) >= batch.num_rows


def _read_objects(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the objects out of an answer, before boto3 reads the rest of it."""
    if not _in_columns.get() or response_dict["status_code"] != 200:
        return
    try:
        root = etree.fromstring(response_dict["body"], etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return  # boto3 finds the same and says so
    namespace = root.tag[: root.tag.rfind("}") + 1]
    etree.strip_elements(root, f"{namespace}DeleteMarker")
    with suppress(ValueError):  # the caller misses the columns and says so
        customized_response_dict["Columns"] = _columns(root, namespace)
    etree.strip_elements(root, f"{namespace}Contents", f"{namespace}Version")
    response_dict["body"] = etree.tostring(root)


def _columns(root: Any, namespace: str) -> pa.RecordBatch:
    """Return the objects of an answer that are present; ValueError if any lacks a field."""
    encoded = root.findtext(f"{namespace}EncodingType") == "url"
    texts = {name: [found.text or "" for found in root.iter(namespace + name)] for name in _FIELDS}
    keys, size = texts["Key"], len(texts["Key"])
    versions = [None if version == "null" else version for version in texts["VersionId"]]
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([_decoded(key) for key in keys] if encoded else keys, pa.string()),
            pa.array(texts["Size"], pa.string()).cast(pa.int64()),
            pc.utf8_trim(pa.array(texts["ETag"], pa.string()), '"'),
            pa.array(versions or [None] * size, pa.string()),
            pa.array(texts["LastModified"], pa.string()).cast(pa.timestamp("us", tz="UTC")),
        ],
        schema=LISTING,
    )
    latest = pa.array(texts["IsLatest"] or ["true"] * size, pa.string())
    return batch.filter(pc.equal(latest, "true"))


def _decoded(key: str) -> str:
    plain = key.replace("%2F", "/")  # most keys hold nothing else that is encoded
    return unquote_plus(key) if "%" in plain or "+" in plain else plain
