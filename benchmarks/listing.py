"""Finding objects: our listing against boto3's paginator and bare obstore on one server, and reading an inventory."""

from __future__ import annotations

import gzip
import io
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from benchmarks.inventories import fill_lake
from benchmarks.many_objects import BUCKET, PER_FOLDER, many_objects
from benchmarks.measure import Measured, measured
from benchmarks.parts import Figures
from benchmarks.peers import run_peer
from tasks.clients.inventory_rows import rows_of
from tasks.clients.listing import Listing
from tasks.clients.s3 import connect
from tasks.clients.settings import Settings

_SEED = 7
_QUARTER = "f00"  # of the folders; a listing of versions takes its time
_FIELDS = ("Bucket", "Key", "Size", "LastModifiedDate", "ETag")
Row = dict[str, Any]


def run(quick: bool) -> Figures:
    """Return the figures of part `listing`."""
    objects, rows = (5_000, 10_000) if quick else (200_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder, many_objects(objects, Path(folder)) as settings:
        live = list(_listed(settings))
    return {
        "title": "Finding objects",
        "about": [
            f"Objects in folders of {PER_FOLDER:,} on a local SeaweedFS, listed over loopback. On AWS a page",
            "takes longer, and prefixes side by side gain what here the processor of the one server limits.",
            "obstore runs in an environment of its own, asks for one page after the other, and changes some",
            "keys (docs/decisions.md).",
        ],
        "tables": {
            f"About {objects:,} objects listed": live,
            f"An inventory file of {rows:,} objects read": list(_inventory(rows)),
            "References at rest": list(_at_rest(rows // 10)),
        },
    }


def _listed(settings: Settings) -> Iterator[Row]:
    client = connect(settings)
    everything = {
        "labelloop": measured(lambda: _ours(client, ""), 3),
        "boto3 paginator": measured(lambda: _paginated(client, "", "list_objects_v2", "Contents")),
        "obstore.list, bare": _obstore(settings),
    }
    versions = {
        "labelloop, versions": measured(lambda: _ours(client, _QUARTER, versioned=True)),
        "boto3 paginator, versions": measured(
            lambda: _paginated(client, _QUARTER, "list_object_versions", "Versions")
        ),
    }
    for found in (everything, versions):
        (objects,) = {one.result for one in found.values()}  # the tool that fills may leave a few out
        boto3 = next(one.seconds for name, one in found.items() if name.startswith("boto3"))
        for name, one in found.items():
            row = {"by": name, "objects": objects, "s": one.seconds, "CPU s": one.cpu_seconds}
            yield {**row, "objects/s": objects / one.seconds, "x boto3": boto3 / one.seconds}


def _ours(client: Any, prefix: str, *, versioned: bool = False) -> int:
    return sum(batch.num_rows for batch in Listing(client).objects(BUCKET, prefix, versioned=versioned))


def _paginated(client: Any, prefix: str, operation: str, field: str) -> int:
    pages = client.get_paginator(operation).paginate(Bucket=BUCKET, Prefix=prefix)
    return sum(len(page.get(field, [])) for page in pages)


def _obstore(settings: Settings) -> Measured:
    assert settings.s3_access_key is not None
    assert settings.s3_secret_key is not None
    os.environ["BENCH_S3_ENDPOINT"] = str(settings.s3_endpoint)
    os.environ["BENCH_S3_ACCESS_KEY"] = settings.s3_access_key.get_secret_value()
    os.environ["BENCH_S3_SECRET_KEY"] = settings.s3_secret_key.get_secret_value()
    found = run_peer("listing", BUCKET, seconds=600)
    return Measured(found["seconds"], found["cpu_seconds"], 0.0, found["objects"])


def _inventory(rows: int) -> Iterator[Row]:
    table, schema = _objects(rows), ", ".join(_FIELDS)
    for form, data in (("Parquet", _parquet(table)), ("CSV", _csv(table))):

        def read(data: bytes = data, form: str = form) -> int:
            return sum(batch.num_rows for batch in rows_of(io.BytesIO(data), form, schema, "media/", "the file"))

        one = measured(read)
        assert one.result == rows
        row = {"format": form, "s": one.seconds, "CPU s": one.cpu_seconds, "objects/s": rows / one.seconds}
        yield {**row, "bytes/object": len(data) / rows, "added MiB": one.added_mib}


def _at_rest(rows: int) -> Iterator[Row]:
    """Yield what a reference takes in the lake: random ids, keys that look alike."""
    with tempfile.TemporaryDirectory() as folder:
        fill_lake(Path(folder), rows)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.parquet"))
    yield {"what": "references", "objects": rows, "bytes/object": size / rows}


def _objects(rows: int) -> pa.Table:
    """Return rows as AWS writes them: keys that look alike, entity tags that do not."""
    digests = np.random.default_rng(_SEED).bytes(16 * rows)
    return pa.table(
        {
            "bucket": pa.array(["media"] * rows),
            "key": pa.array([f"media/2026/{n // 1000:07d}/image-{n:010d}.jpg" for n in range(rows)]),
            "size": pa.array(np.random.default_rng(_SEED).integers(1, 10**7, rows)),
            "last_modified_date": pa.array([datetime(2026, 11, 1, tzinfo=UTC)] * rows, pa.timestamp("ms")),
            "e_tag": pa.array([digests[16 * n : 16 * n + 16].hex() for n in range(rows)]),
        }
    )


def _parquet(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


def _csv(table: pa.Table) -> bytes:
    text, times = io.BytesIO(), pa.array(["2026-11-01T00:00:00.000Z"] * table.num_rows)
    spelt = table.set_column(3, "last_modified_date", times)
    pa_csv.write_csv(spelt, text, pa_csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    return gzip.compress(text.getvalue(), compresslevel=6)
