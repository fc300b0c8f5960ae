"""Withdrawal: what an erasure takes out of published training sets, and out of trust in models trained on them.

A set that holds such rows is published anew without them, then its files are destroyed in all their versions. Every
step can be run again after a kill: what is already done is found done.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from tasks.clients.datasets import Row, datasets, folder, latest, point_to, pointer_key, read_rows, write_files
from tasks.clients.lease import Lease, hold
from tasks.clients.world import World
from tasks.contracts import commit


def withdraw_rows(world: World, lease: Lease, ref_ids: Collection[str]) -> list[dict[str, object]]:
    """Take every row of these references out of every published training set.

    Their references must be restricted before, so that no later export takes them in again.

    Args:
        world: the project's outside.
        lease: of the erasure; checked before each effect.
        ref_ids: whose rows go.

    Returns:
        One entry for each set rewritten by this call: `dataset_version`, `replaced_by` (None if no row was left),
        `withdrawn` rows.

    Raises:
        LeaseHeld: an export or a training run did not end in time.
        HeldByLaw: a file of a set is under a legal hold.
    """
    with _nobody_publishing(world):
        published = [row for row in datasets(world).values() if row["state"] == "published"]
        done = [entry for row in published if (entry := _rewrite(world, lease, row, ref_ids))]
        _settle(world, lease)
    return done


@contextmanager
def _nobody_publishing(world: World) -> Iterator[None]:
    """Wait for running exports and trainings: they may have read the rows before they were restricted."""
    settings = world.settings
    with ExitStack() as held:
        for stage in ("export", "retrain"):
            name = f"{world.project}/{stage}"
            held.enter_context(
                hold(world.hot, name, seconds=settings.lease_seconds, wait_seconds=settings.lease_wait_seconds)
            )
        yield


def _rewrite(world: World, lease: Lease, row: Row, ref_ids: Collection[str]) -> dict[str, object] | None:
    version = row["dataset_version"]
    rows = read_rows(world, row)
    left = rows.filter(pc.invert(pc.is_in(rows["ref_id"], value_set=pa.array(list(ref_ids), pa.string()))))
    withdrawn = rows.num_rows - left.num_rows
    if not withdrawn:
        return None
    lease.check()
    new = _without(world, row, left, withdrawn) if left.num_rows else None
    instead = new["dataset_version"] if new else None
    changed = [row | {"state": "erased", "replaced_by": instead}]
    if new and instead not in datasets(world):
        changed.append(new)
    _commit(world, lease, "datasets", changed)
    return {"dataset_version": version, "replaced_by": instead, "withdrawn": withdrawn}


def _without(world: World, row: Row, left: pa.Table, withdrawn: int) -> Row:
    lineage = {**json.loads(row["lineage"]), "training set": row["dataset_version"], "rows withdrawn": withdrawn}
    note = "as of the set this one replaces"
    return write_files(world, left, round=row["round"], agreement=note, lineage=lineage)


def _settle(world: World, lease: Lease) -> None:
    """Follow up on every erased set: models distrusted, pointer moved on, files destroyed."""
    known = datasets(world)
    erased = [version for version, row in known.items() if row["state"] == "erased"]
    models = world.table("models").read().to_pylist()
    flagged = {"trained_on_erased": True, "scores_until": _end_of_scoring(world)}
    learned = [m for m in models if m["dataset_version"] in erased and not m["trained_on_erased"]]
    distrusted = [m | flagged for m in learned]
    _commit(world, lease, "models", distrusted)
    lease.check()
    _move_pointer(world, known)
    for version in erased:
        lease.check()
        world.published.destroy(folder(version))


def _end_of_scoring(world: World) -> datetime | None:
    policy = world.spec.erasure
    wait = {"stop": timedelta(0), "retrain": timedelta(days=policy.retrain_days), "keep": None}[policy.models]
    return None if wait is None else world.now() + wait


def _move_pointer(world: World, known: dict[str, Row]) -> None:
    version = present = latest(world)
    while version in known and known[version]["state"] == "erased":
        version = known[version]["replaced_by"]
    if version is None:
        world.hot.delete(pointer_key(world.project))
    elif version != present:
        point_to(world, version)


def _commit(world: World, lease: Lease, table: str, rows: list[Row]) -> None:
    commit(world, lease, table, pa.Table.from_pylist(rows, contract(table).schema), stage="erasure")
