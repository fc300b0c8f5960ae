"""Published training sets: their files, their rows in the lake, and the pointer to the newest.

When one is published is decided in `tasks/export.py`, what withdraws rows from it lies in `tasks/withdrawal.py`.
"""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from labelloop.card import dataset_card, split_counts
from labelloop.contracts import contract, missing_columns
from labelloop.errors import ErasedError, InputError
from labelloop.export import dataset_version, parquet_bytes
from tasks.clients.hot import update
from tasks.clients.world import World

Row = dict[str, Any]


def folder(version: str) -> str:
    """Return where the files of a version lie among the published files."""
    return f"datasets/{version}/"


def pointer_key(project: str) -> str:
    """Return the key in hot state that names the newest training set."""
    return f"pointers/{project}/dataset.json"


def write_files(world: World, rows: pa.Table, *, round: int, agreement: str, lineage: dict[str, Any]) -> Row:
    """Write the files of a training set and return its row of the contract `datasets`."""
    data = parquet_bytes(rows)
    version = dataset_version(data)
    card = dataset_card(world.spec.title, version, rows, agreement=agreement, lineage=lineage)
    world.published.write(folder(version) + "card.md", card.encode(), "text/markdown; charset=utf-8")
    uri = world.published.write(folder(version) + "data.parquet", data, "application/vnd.apache.parquet")
    return {
        "dataset_version": version,
        "round": round,
        "uri": uri,
        "digest": hashlib.sha256(data).hexdigest(),
        "n_rows": rows.num_rows,
        "splits": json.dumps(split_counts(rows)),
        "lineage": json.dumps(lineage, sort_keys=True),
        "state": "published",
        "replaced_by": None,
        "created_at": world.now(),
    }


def datasets(world: World) -> dict[str, Row]:
    """Return every training set the project ever published, by version, oldest first."""
    rows = world.table("datasets").read().sort_by([("created_at", "ascending"), ("dataset_version", "ascending")])
    return {row["dataset_version"]: row for row in rows.to_pylist()}


def latest(world: World) -> str | None:
    """Return the version the pointer names, or None before the first."""
    present = world.hot.get(pointer_key(world.project))
    return str(present.value["dataset_version"]) if present else None


def point_to(world: World, version: str) -> None:
    """Let the pointer name a version."""
    value = {"dataset_version": version, "uri": world.published.address(folder(version) + "data.parquet")}
    update(world.hot, pointer_key(world.project), lambda _: value)


def find_dataset(world: World, version: str) -> Row:
    """Return the row of a training set that can be read.

    Raises:
        InputError: no such version was ever published.
        ErasedError: it was, and has been erased; the message names what replaced it.
    """
    row = datasets(world).get(version)
    if row is None:
        raise InputError(f"there is no training set {version!r}", remedy="see `labelloop dataset list`")
    if row["state"] == "erased":
        instead = row["replaced_by"]
        remedy = f"use {instead}, which replaced it" if instead else "nothing replaced it: no row was left"
        raise ErasedError(f"training set {version!r} has been erased", remedy=remedy, replaced_by=instead)
    return row


def read_dataset(world: World, version: str) -> pa.Table:
    """Return the rows of a training set, in the schema of its contract.

    Raises:
        InputError: no such version, or its file is not the one that was published.
        ErasedError: it has been erased.
    """
    return read_rows(world, find_dataset(world, version))


def read_rows(world: World, published: Row) -> pa.Table:
    """Return the rows of the training set that a row of the contract `datasets` is about; InputError as above."""
    version = published["dataset_version"]
    data = world.published.read(folder(version) + "data.parquet")
    if hashlib.sha256(data).hexdigest() != published["digest"]:
        raise InputError(
            f"the file of training set {version!r} is not the one that was published",
            remedy="put back the file that was, from the bucket's versions or a backup",
        )
    rows, rules = pq.read_table(io.BytesIO(data)), contract("training_set")
    for field in missing_columns(rules, rows.schema):
        rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    return rows.select(rules.schema.names).cast(rules.schema)
