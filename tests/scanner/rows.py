"""Collateral damage: every row and object as one text each, read without any code of the eraser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from deltalake import DeltaTable


def rows_of_tables(addresses: Mapping[str, str], options: Mapping[str, str]) -> dict[str, set[str]]:
    """Return the rows of each Delta table by its name, as JSON with sorted names."""
    return {name: _rows(DeltaTable(uri, storage_options=dict(options))) for name, uri in addresses.items()}


def schemas_of_tables(addresses: Mapping[str, str], options: Mapping[str, str]) -> dict[str, str]:
    """Return the schema of each Delta table by its name, as JSON."""
    opened = {name: DeltaTable(uri, storage_options=dict(options)) for name, uri in addresses.items()}
    return {name: table.schema().to_json() for name, table in opened.items()}


def tables_in(client: Any, bucket: str) -> dict[str, str]:
    """Return the address of every Delta table in the bucket by its path."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    paths = {key.split("/_delta_log/")[0] for key in keys if "/_delta_log/" in key}
    return {path: f"s3://{bucket}/{path}" for path in sorted(paths)}


def versions_in(client: Any, bucket: str, but: Iterable[str] = ()) -> set[str]:
    """Return key, version and digest of every version and marker of the bucket, without those of some keys."""
    found, left_out = set(), set(but)
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for item in (*page.get("Versions", []), *page.get("DeleteMarkers", [])):
            if item["Key"] not in left_out:
                found.add(f"{item['Key']} {item['VersionId']} {item.get('ETag', 'marker')}")
    return found


def _rows(table: DeltaTable) -> set[str]:
    rows = table.to_pyarrow_table().to_pylist()
    return {json.dumps(row, sort_keys=True, default=str, ensure_ascii=False) for row in rows}
