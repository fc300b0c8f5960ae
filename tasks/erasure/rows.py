"""What an erasure reaches in the lake: rows of every project by opaque key, published training sets, references."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts.data_map import data_map
from labelloop.erasure.plan import Plan, ProjectReach
from tasks.clients.datasets import Row, datasets, read_rows
from tasks.clients.lease import Lease
from tasks.clients.world import World
from tasks.contracts import commit
from tasks.erasure.media import held_objects
from tasks.erasure.worlds import reached
from tasks.withdrawal import withdraw_rows

# Which opaque key a project's table is deleted by.
TABLES = data_map().row_keys()


def restrict(world: World, lease: Lease, ref_ids: pa.ChunkedArray) -> None:
    """Take references out of every later stage."""
    references = world.table("references").read()
    wanted = pc.and_(
        pc.is_in(references["ref_id"], value_set=ref_ids), pc.not_equal(references["state"], "restricted")
    )
    rows = references.filter(wanted)
    state = pa.array(["restricted"] * rows.num_rows, pa.string())
    moment = pa.array([world.now()] * rows.num_rows, references.schema.field("changed_at").type)
    rows = rows.set_column(rows.schema.get_field_index("state"), "state", state)
    rows = rows.set_column(rows.schema.get_field_index("changed_at"), "changed_at", moment)
    commit(world, lease, "references", rows, stage="erasure")


def count_rows(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many of the planned rows each table of the projects still has."""
    totals = dict.fromkeys(TABLES, 0)
    for world, reach in reached(worlds, plan):
        for table, column in TABLES.items():
            totals[table] += len(_present_keys(world, table, column, _keys_of(plan, reach, column)))
    return totals


def erase_rows(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Delete the rows of the projects' tables."""
    for world, reach in reached(worlds, plan):
        for table, column in TABLES.items():
            world.table(table).delete(column, _keys_of(plan, reach, column), fence=lease.check)


def count_training_sets(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many published sets have a row of the references, how many models that learned are not flagged."""
    sets = models = 0
    for world, reach in reached(worlds, plan):
        sets += len(training_sets_with(world, plan.ref_ids))
        rows = world.table("models").read(columns=["model_version", "trained_on_erased"])
        trusted = rows.filter(pc.invert(rows["trained_on_erased"]))["model_version"].to_pylist()
        models += len(set(reach.model_versions) & set(trusted))
    return {"training_sets": sets, "models": models}


def erase_from_training_sets(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Publish the sets anew without the rows, destroy the old files, flag the models."""
    for world, _ in reached(worlds, plan):
        withdraw_rows(world, lease, plan.ref_ids)


def count_references(worlds: Sequence[World], plan: Plan) -> dict[str, int]:
    """Return how many of the references there still are."""
    return {"references": len(_present_keys(worlds[0], "references", "ref_id", plan.ref_ids))}


def erase_references(worlds: Sequence[World], lease: Lease, plan: Plan) -> None:
    """Delete the references, last, since they tell which objects are being erased; those of held objects stay."""
    if not plan.ref_ids:
        return
    table, held = worlds[0].table("references"), held_objects(worlds, plan)
    wanted = pc.field("ref_id").cast(pa.string()).isin(list(plan.ref_ids))
    rows = table.read(columns=["ref_id", "bucket", "key"], where=wanted).to_pylist()
    going = [row["ref_id"] for row in rows if (row["bucket"], row["key"]) not in held]
    if going:
        table.delete("ref_id", going, fence=lease.check)


def training_sets_with(world: World, ref_ids: Collection[str]) -> list[str]:
    """Return the published training sets that have a row of any of the references."""
    published = {version: row for version, row in datasets(world).items() if row["state"] == "published"}
    wanted = pa.array(list(ref_ids), pa.string())
    return [v for v in sorted(published) if pc.any(pc.is_in(_refs(world, published[v]), value_set=wanted)).as_py()]


def table_versions(worlds: Sequence[World]) -> dict[str, int]:
    """Return the newest version of every table an erasure deletes rows of, as `project.table` or `references`."""
    found = {f"{world.project}.{table}": world.table(table).version() for world in worlds for table in TABLES}
    found["references"] = worlds[0].table("references").version()
    return {name: version for name, version in found.items() if version is not None}


def _refs(world: World, published: Row) -> pa.ChunkedArray:
    return read_rows(world, published)["ref_id"]


def _keys_of(plan: Plan, reach: ProjectReach, column: str) -> tuple[str, ...]:
    return {"ref_id": plan.ref_ids, "unit_id": reach.unit_ids, "row_id": reach.row_ids}[column]


def _present_keys(world: World, table: str, column: str, keys: Collection[str]) -> list[str]:
    """Return the values of the column, one for each row of the table that has one of the keys."""
    if not keys:
        return []
    # The cast keeps pyarrow from comparing with row-group statistics, which delta-rs writes as another string type.
    wanted = pc.field(column).cast(pa.string()).isin(list(keys))
    rows = world.table(table).read(columns=[column], where=wanted)
    return list(rows[column].to_pylist())
