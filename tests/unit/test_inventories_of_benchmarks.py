"""The data of the sync benchmark: as many changes as it says."""

from __future__ import annotations

import pyarrow.parquet as pq

from benchmarks.inventories import FOLDER, fill_lake, objects, write_inventory
from tasks.clients.lake import Lake


def listed(folder):
    rows = [row for path in sorted((folder / FOLDER / "data").iterdir()) for row in pq.read_table(path).to_pylist()]
    return {row["key"]: row["version_id"] for row in rows}


def test_the_changed_inventory_differs_in_one_percent(tmp_path):
    fill_lake(tmp_path / "lake", 1000)
    write_inventory(tmp_path / "same", 1000, with_changes=False)
    write_inventory(tmp_path / "changed", 1000, with_changes=True)
    rows = Lake(str(tmp_path / "lake")).table("references").read().to_pylist()
    known = {row["key"]: row["media_version"] for row in rows}
    same, changed = listed(tmp_path / "same"), listed(tmp_path / "changed")
    assert known == same
    assert (len(changed.keys() - known), len(known.keys() - changed.keys())) == (4, 2)
    assert sum(changed[key] != version for key, version in known.items() if key in changed) == 4
    assert [part.num_rows for part in objects(3)] == [3]
