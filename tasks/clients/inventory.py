"""S3 Inventory as a listing: the newest complete delivery, every checksum verified, file after file.

What a row of a data file means is in `inventory_rows.py`. Layout and fields: Amazon S3 User Guide, "Locating your
inventory list" and "Amazon S3 Inventory list".
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import IO, Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labelloop.errors import ErasedError, InputError
from labelloop.spec.media import Media
from tasks.clients.inventory_rows import rows_of
from tasks.clients.media_store import MediaStore
from tasks.clients.s3 import split_uri

_log = logging.getLogger(__name__)
_DELIVERY = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\dZ)/manifest\.(json|checksum)")
_WAIT = "wait for the next delivery, or remove this one's folder to use the one before"


class DataFile(BaseModel):
    """One file of a delivery."""

    model_config = ConfigDict(frozen=True)

    key: str
    checksum: str = Field(alias="MD5checksum", pattern=r"^[0-9a-fA-F]{32}$")


class Manifest(BaseModel):
    """What a delivery says of itself."""

    model_config = ConfigDict(frozen=True)

    bucket: str = Field(alias="sourceBucket")
    scanned_at: int = Field(alias="creationTimestamp", ge=0, description="milliseconds since 1970")
    file_format: str = Field(alias="fileFormat")
    file_schema: str = Field(alias="fileSchema")
    files: tuple[DataFile, ...]


def inventory_listing(store: MediaStore, media: Media, now: datetime) -> Iterator[pa.RecordBatch]:
    """Yield the present objects below the prefix as the newest complete inventory tells them.

    A checksum is verified before the first row of its file is given out, not before those of earlier files: who takes
    the rows must not act on them before the end. Memory holds one batch, the disk one data file.

    Args:
        store: where the inventory lies.
        media: the source, with the address of the inventory configuration's folder.
        now: to tell how old the inventory is.

    Raises:
        InputError: there is no complete inventory, it is too old, of another bucket, or a part of it is missing,
            broken or of a format that is not read.
    """
    bucket, folder = split_uri(str(media.source.uri))
    manifest = _newest_manifest(store, bucket, folder.rstrip("/") + "/")
    _check(manifest, media, now)
    for number, file in enumerate(manifest.files, start=1):
        which = f"file {number} of {len(manifest.files)} of the inventory"
        with tempfile.TemporaryFile() as copy:
            _fetch(store, bucket, file, copy, which)
            yield from rows_of(copy, manifest.file_format, manifest.file_schema, media.prefix, which)
        _log.info("read %s", which)


def _newest_manifest(store: MediaStore, bucket: str, folder: str) -> Manifest:
    deliveries: dict[str, dict[str, str]] = {}
    for key in (key for batch in store.list(bucket, folder) for key in batch["key"].to_pylist()):
        if part := _DELIVERY.fullmatch(key.removeprefix(folder)):
            deliveries.setdefault(part[1], {})[part[2]] = key
    complete = [delivery for _, delivery in sorted(deliveries.items()) if len(delivery) == 2]
    if not complete:
        raise InputError(
            f"there is no complete inventory below media.source.uri ({len(deliveries)} without manifest or checksum)",
            remedy="give the folder that holds the dated folders, or wait for the first delivery",
        )
    text, promised = (store.read(bucket, complete[-1][part]) for part in ("json", "checksum"))
    if _md5(text).hexdigest() != promised.decode("ascii", "replace").strip().lower():
        raise InputError("the manifest of the newest inventory does not match its checksum", remedy=_WAIT)
    try:
        return Manifest.model_validate_json(text)
    except ValidationError as error:
        fields = sorted({".".join(map(str, e["loc"])) or "the document" for e in error.errors()})
        raise InputError(f"the manifest of the newest inventory is broken at {fields}", remedy=_WAIT) from None


def _check(manifest: Manifest, media: Media, now: datetime) -> None:
    if manifest.bucket != media.bucket:
        raise InputError(
            f"the inventory is of bucket {manifest.bucket!r}, media.bucket is {media.bucket!r}",
            remedy="mend media.source.uri or media.bucket",
        )
    age = now - datetime.fromtimestamp(manifest.scanned_at / 1000, tz=UTC)
    if age > timedelta(days=media.source.max_age_days):
        raise InputError(
            f"the newest complete inventory is {age.days} days old, above media.source.max_age_days",
            remedy="see why deliveries stopped; what was uploaded since would count as missing",
        )


def _fetch(store: MediaStore, bucket: str, file: DataFile, copy: IO[bytes], which: str) -> None:
    digest = _md5(b"")
    try:
        for piece in store.pieces(bucket, file.key):
            digest.update(piece)
            copy.write(piece)
    except ErasedError:
        raise InputError(f"{which} is not there", remedy=_WAIT) from None
    if digest.hexdigest() != file.checksum.lower():
        raise InputError(f"{which} does not match its checksum", remedy=_WAIT)
    copy.seek(0)


def _md5(data: bytes) -> Any:
    return hashlib.md5(data, usedforsecurity=False)  # the checksum AWS writes
