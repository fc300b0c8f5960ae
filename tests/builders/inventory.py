"""Deliveries of S3 Inventory as AWS lays them out, written into a store."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pyarrow as pa
import pyarrow.parquet as pq

from tests.builders.digits import START

FOLDER = "inventory/media/weekly/"
FIELDS = ("Bucket", "Key", "VersionId", "IsLatest", "IsDeleteMarker")
FIELDS += ("Size", "LastModifiedDate", "ETag", "StorageClass")
_PARQUET = pa.schema(
    [
        ("bucket", pa.string()),
        ("key", pa.string()),
        ("version_id", pa.string()),
        ("is_latest", pa.bool_()),
        ("is_delete_marker", pa.bool_()),
        ("size", pa.int64()),
        ("last_modified_date", pa.timestamp("ms")),
        ("e_tag", pa.string()),
        ("storage_class", pa.string()),
    ]
)


def row(key, *, size=3, version_id=None, latest=True, marker=False, etag="e1"):
    """One row, in the order of FIELDS."""
    about = (None, START, None) if marker else (size, START, etag)
    return ("media", key, version_id, latest, marker, *about, "STANDARD")


def as_parquet(rows, fields=FIELDS):
    columns = [[row[i] for row in rows] for i in range(len(FIELDS))]
    table = pa.table({f.name: pa.array(c, f.type) for f, c in zip(_PARQUET, columns, strict=True)})
    file = io.BytesIO()
    pq.write_table(table.select([_PARQUET.names[FIELDS.index(name)] for name in fields]), file, row_group_size=2)
    return file.getvalue()


def as_csv(rows, fields=FIELDS):
    text = io.StringIO()
    lines = csv.writer(text, quoting=csv.QUOTE_ALL)
    lines.writerows([_spelt(name, row[FIELDS.index(name)]) for name in fields] for row in rows)
    return gzip.compress(text.getvalue().encode())


def _spelt(name, value):
    if name == "Key":
        return quote_plus(value)
    if isinstance(value, bool):
        return str(value).lower()
    return value.strftime("%Y-%m-%dT%H:%M:%S.000Z") if isinstance(value, datetime) else "" if value is None else value


def _md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


WRITERS = {"Parquet": as_parquet, "CSV": as_csv}


def deliver(
    store, files, /, *, file_format="Parquet", stamp=START, fields=FIELDS, parts=("json", "checksum"), **other
):
    """Write one delivery; a file is a list of rows or the bytes in their place; `other` changes the manifest."""
    described = []
    for number, rows in enumerate(files):
        data = rows if isinstance(rows, bytes) else WRITERS.get(file_format, as_parquet)(rows, fields)
        key = f"{FOLDER}data/{stamp:%Y%m%d}-{number}.{file_format.lower()}"
        store.write("inventories", key, data, content_type="application/octet-stream")
        described.append({"key": key, "size": len(data), "MD5checksum": _md5(data)})
    manifest = {
        "sourceBucket": "media",
        "destinationBucket": "arn:aws:s3:::inventories",
        "version": "2016-11-30",
        "creationTimestamp": str(int(stamp.astimezone(UTC).timestamp() * 1000)),
        "fileFormat": file_format,
        "fileSchema": ", ".join(fields) if file_format == "CSV" else "message s3.inventory { ... }",
        "files": described,
        **other,
    }
    text = json.dumps({name: value for name, value in manifest.items() if value is not None}).encode()
    for part in parts:
        data = text if part == "json" else _md5(text).encode() + b"\n"
        key = f"{FOLDER}{stamp:%Y-%m-%dT%H-%MZ}/manifest.{part}"
        store.write("inventories", key, data, content_type="application/json")
