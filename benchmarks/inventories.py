"""References in a lake and S3 Inventories of them, as large as wanted, made without holding them in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from labelloop.contracts import contract
from tasks.clients.lake import Lake
from tasks.clients.listing import LISTING

SEED: Final = 7
PART: Final = 500_000  # objects in a file of the inventory
BUCKET: Final = "media"
FOLDER: Final = "inventory"
AT: Final = datetime(2026, 11, 1, tzinfo=UTC)
_JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(100)


def objects(count: int) -> Iterator[pa.Table]:
    """Yield `number, key, version_id, etag, size` of so many objects, the same at each call."""
    for start in range(0, count, PART):
        numbers = np.arange(start, min(start + PART, count))
        random = np.random.default_rng([SEED, start])
        yield pa.table(
            {
                "number": numbers,
                "key": _joined("photos/subject-", numbers // 20, "/image-", numbers, ".jpg"),
                "version_id": _hex(random, len(numbers), 32),
                "etag": _hex(random, len(numbers), 32),
                "size": random.integers(10_000, 5_000_000, len(numbers)),
            }
        )


def fill_lake(folder: Path, count: int) -> None:
    """Write a reference for each object into a lake."""
    Lake(str(folder)).table("references").append((_references(part) for part in objects(count)), fence=lambda: None)


def _references(part: pa.Table) -> pa.Table:
    schema, n, random = contract("references").schema, part.num_rows, np.random.default_rng(part["number"][0].as_py())
    moment = pa.repeat(pa.scalar(AT, pa.timestamp("us", "UTC")), n)
    columns = {
        **{field.name: pa.nulls(n, field.type) for field in schema},
        "ref_id": _hex(random, n, 32),
        "subject_hmac": _hex(random, n, 64),
        "bucket": pa.repeat(BUCKET, n),
        "media_version": part["version_id"],
        "media_type": pa.repeat("image/jpeg", n),
        "hmac_key_id": pa.repeat("k1", n),
        "state": pa.repeat("active", n),
        "first_seen": moment,
        "changed_at": moment,
    }
    columns |= {name: part[name] for name in ("key", "etag", "size")}
    return pa.table({name: columns[name] for name in schema.names}).cast(schema)


def write_inventory(folder: Path, count: int, *, with_changes: bool) -> None:
    """Write a complete inventory in Parquet; with changes 0.4 % are new, 0.4 % changed, 0.2 % missing."""
    (folder / FOLDER / "data").mkdir(parents=True)
    files = []
    for number, part in enumerate(objects(count + count // 250 * with_changes)):
        shown = _changed(part, count) if with_changes else part
        name = f"{FOLDER}/data/{number}.parquet"
        pq.write_table(_rows(shown), folder / name)
        digest = hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()
        files.append({"key": name, "MD5checksum": digest})
    manifest = {"sourceBucket": BUCKET, "fileFormat": "Parquet", "fileSchema": "message s3.inventory", "files": files}
    text = json.dumps({**manifest, "creationTimestamp": int(AT.timestamp() * 1000)})
    delivery = folder / FOLDER / f"{AT:%Y-%m-%dT%H-%MZ}"
    delivery.mkdir()
    (delivery / "manifest.json").write_text(text, encoding="utf-8")
    checksum = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    (delivery / "manifest.checksum").write_text(checksum, encoding="utf-8")


def _changed(part: pa.Table, count: int) -> pa.Table:
    numbers = part["number"].to_numpy()
    other = pc.if_else(pa.array(numbers % 250 == 0), pc.utf8_reverse(part["version_id"]), part["version_id"])
    left = part.set_column(part.column_names.index("version_id"), "version_id", other)
    return left.filter(pa.array((numbers % 500 != 1) | (numbers >= count)))


def _rows(part: pa.Table) -> pa.Table:
    n = part.num_rows
    return pa.table(
        {
            "bucket": pa.repeat(BUCKET, n),
            "key": part["key"],
            "version_id": part["version_id"],
            "is_latest": pa.repeat(pa.scalar(True), n),
            "is_delete_marker": pa.repeat(pa.scalar(False), n),
            "size": part["size"],
            "last_modified_date": pa.repeat(pa.scalar(AT, pa.timestamp("ms")), n),
            "e_tag": part["etag"],
        }
    )


def _joined(*parts: str | np.ndarray) -> pa.Array:
    texts = [one if isinstance(one, str) else pc.utf8_lpad(pa.array(one).cast(pa.string()), 9, "0") for one in parts]
    return pc.binary_join_element_wise(*texts, "")


def _hex(random: np.random.Generator, count: int, digits: int) -> pa.Array:
    text = random.bytes(count * digits // 2).hex().encode()
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(digits), count, [None, pa.py_buffer(text)])
    return fixed.cast(pa.binary()).cast(pa.string())


class DiskInventory:
    """A store that holds an inventory below a folder, and media of which only first bytes are read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keeps_versions(self, _bucket: str) -> bool:
        """Return that it does."""
        return True

    def list(self, _bucket: str, prefix: str = "") -> Iterator[pa.RecordBatch]:
        """Yield the files of the inventory."""
        keys = [str(path.relative_to(self._folder)) for path in sorted((self._folder / prefix).rglob("*.*"))]
        rows = [{"key": key, "size": 1, "etag": "e", "last_modified": AT} for key in keys]
        yield pa.RecordBatch.from_pylist(rows, schema=LISTING)

    def read(self, _bucket: str, key: str, *, version_id: str | None = None) -> bytes:
        """Return a file of the inventory whole, or an old version of media, each unlike all others."""
        if version_id:
            return key.encode()
        return (self._folder / key).read_bytes()

    def pieces(self, _bucket: str, key: str) -> Iterator[bytes]:
        """Yield a file in pieces."""
        with (self._folder / key).open("rb") as file:
            while piece := file.read(2**20):
                yield piece

    def read_many(self, _bucket: str, keys: Sequence[str], **_how: int) -> Iterator[tuple[str, bytes]]:
        """Yield the first bytes of media."""
        return ((key, _JPEG) for key in keys)
