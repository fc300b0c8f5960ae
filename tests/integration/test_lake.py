"""Delta tables on the real S3 server: writers in several processes, and nothing left of a deleted row."""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from io import BytesIO

import pyarrow.parquet as pq
import pytest

from labelloop.errors import ErasedError
from tasks.clients.lake import Lake
from tasks.clients.s3 import connect, split_uri, storage_options
from tests.builders.rows import hex_id, rows_of

pytestmark = pytest.mark.integration

WRITER = """
import sys
from labelloop.errors import ErasedError
from tasks.clients.lake import Lake
from tasks.clients.s3 import storage_options
from tasks.clients.settings import load_settings
from tests.builders.rows import hex_id, rows_of
uri, writer = sys.argv[1], int(sys.argv[2])
table = Lake(uri, storage_options(load_settings())).table("references")
for turn in range(6):
    own = {"ref_id": hex_id(100 * writer + turn), "size": writer}
    shared = {"ref_id": hex_id(9999), "size": writer}
    table.upsert(rows_of("references", [own, shared]), fence=lambda: None)
"""
CANARY = "canary-5f3a"


@pytest.fixture
def lake(s3):
    return Lake(f"{s3.lake_uri}/tests/{uuid.uuid4().hex}", storage_options(s3))


def free():
    """A fence that lets everything pass."""


@pytest.mark.usefixtures("stack_environment")
def test_three_processes_that_write_one_table_lose_and_double_no_row(lake):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, lake.uri, str(n)]) for n in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    found = sorted(lake.table("references").read().column("ref_id").to_pylist())
    assert found == sorted([hex_id(100 * n + turn) for n in range(3) for turn in range(6)] + [hex_id(9999)])


def test_many_rows_are_replaced_by_streaming_the_table_from_the_server(lake, monkeypatch):
    monkeypatch.setattr("tasks.clients.lake._NAMED", 0)
    table = lake.table("references")
    table.upsert(rows_of("references", [{"size": n} for n in range(4)]), fence=free)
    table.upsert(rows_of("references", [{"size": 9}, {"size": 1}]), fence=free)
    assert table.read().sort_by("ref_id")["size"].to_pylist() == [9, 1, 2, 3]


def test_deleted_rows_stay_in_old_files_until_the_purge_and_nowhere_after(lake, s3):
    table, seen = lake.table("references"), lambda: _canaries(s3, lake)
    # As first and as last value of its column: where statistics would keep it.
    given = [{"key": f"{prefix}/{CANARY}-{n}"} for n, prefix in enumerate(("!", "~", "m"))]
    table.upsert(rows_of("references", given), fence=free)
    table.upsert(rows_of("references", [{**given[0], "size": 2}]), fence=free)
    assert seen() == {"log": set(), "data": {f"{CANARY}-{n}" for n in range(3)}}

    table.delete("ref_id", [hex_id(0), hex_id(1)], fence=free)
    assert seen() == {"log": set(), "data": {f"{CANARY}-{n}" for n in range(3)}}

    table.purge(fence=free)
    assert seen() == {"log": set(), "data": {f"{CANARY}-2"}}
    assert table.read().column("ref_id").to_pylist() == [hex_id(2)]
    for version in (1, 2, 3):
        with pytest.raises(ErasedError):
            table.read(version=version)


def _canaries(s3, lake):
    """Return the canaries in the log and in the data files, decoded values and statistics alike, of every version."""
    client, (bucket, prefix) = connect(s3), split_uri(lake.uri)
    found = {"log": set(), "data": set()}
    for item in client.list_object_versions(Bucket=bucket, Prefix=prefix)["Versions"]:
        body = client.get_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])["Body"].read()
        text = _decoded(body) if item["Key"].endswith(".parquet") else body.decode()
        place = "log" if "/_delta_log/" in item["Key"] else "data"
        found[place] |= {f"{CANARY}-{n}" for n in range(3) if f"{CANARY}-{n}" in text}
    return found


def _decoded(body):
    table, parquet = pq.read_table(BytesIO(body)), pq.ParquetFile(BytesIO(body))
    metadata = [parquet.metadata.row_group(n).to_dict() for n in range(parquet.num_row_groups)]
    return json.dumps(table.to_pylist(), default=str) + json.dumps(metadata, default=str)
