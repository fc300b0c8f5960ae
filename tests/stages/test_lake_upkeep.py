"""A purge leaves few files of every table, without a reader that misses a row or a value in a log or footer."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from labelloop.errors import Conflict, ErasedError, LeaseLost
from tasks.clients.lake import Lake
from tasks.clients.open_tables import OpenTables
from tasks.purge import purge_lake
from tests.builders.erasure_requests import erasable_world
from tests.builders.rows import hex_id, rows_of
from tests.contract_suites.lake_suite import free
from tests.fakes.world import lease_of

REGION = {"region_id": "r", "labels": ["canary"], "points": [1.0, 2.0, 3.0, 4.0]}
TABLES = {"suppressions": {}, "receipts": {}, "references": {"key": "canary"}, "annotations": {"regions": [REGION]}}
NIGHTS = 50  # the most that stay as they are is 32


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path))


def written(lake, name, times=NIGHTS, **values):
    """A table that gained one file of one row at a time."""
    table = lake.table(name, "digits")
    for row in rows_of(name, [values] * times).to_batches(max_chunksize=1):
        table.append([pa.Table.from_batches([row])], fence=free)
    return table


def sorted_rows(table, **asked):
    return table.read(**asked).sort_by([(key, "ascending") for key in table.contract.primary_key])


def files_of(table):
    return {str(path.relative_to(table.uri)) for path in Path(table.uri).glob("*.parquet")}


class Fence:
    """Lets so many effects pass, and looks at the table before each as another reader would."""

    def __init__(self, table, passing=math.inf):
        self.table, self.left, self.seen = table, passing, []

    def __call__(self):
        self.seen.append(Lake(str(Path(self.table.uri).parent)).table(self.table.contract.name).read().num_rows)
        self.left -= 1
        if self.left < 0:
            raise LeaseLost("taken over")


@pytest.mark.parametrize(("name", "values"), TABLES.items(), ids=TABLES.keys())
def test_a_purge_puts_many_small_files_together_changes_no_row_and_brings_no_statistics(lake, name, values):
    table = written(lake, name, **values)
    rows = sorted_rows(table)
    table.purge(fence=free)
    assert sorted_rows(table) == rows
    assert list(table.parts().values()) == [NIGHTS]
    (file,) = files_of(table)
    footer = pq.ParquetFile(Path(table.uri, file)).metadata.row_group(0)
    assert {footer.column(n).statistics for n in range(footer.num_columns)} == {None}
    logged = pa.table(DeltaTable(table.uri).get_add_actions(flatten=True)).column_names
    assert set(logged) == {"path", "size_bytes", "modification_time", "num_records"}


def test_a_row_that_was_put_together_with_others_is_deleted_by_its_key_and_gone_after_the_next_purge(lake):
    table = written(lake, "references", times=40)
    table.upsert(rows_of("references", [{"key": "canary-5f3a"}]), fence=free)
    table.purge(fence=free)
    assert table.delete("ref_id", [hex_id(0)], fence=free) == 1
    table.purge(fence=free)
    assert table.read().num_rows == 39
    # Neither packing nor statistics could hide it: the one file left is read whole, and the log is text.
    assert "canary-5f3a" not in str([pq.read_table(Path(table.uri, file)).to_pylist() for file in files_of(table)])
    assert not any(b"canary-5f3a" in path.read_bytes() for path in Path(table.uri).rglob("*.json"))


def test_a_killed_purge_cuts_no_reader_off_and_the_next_one_leaves_what_an_unbroken_one_leaves(lake):
    table = written(lake, "suppressions")
    rows, before, fence = sorted_rows(table), table.version(), Fence(table, passing=1)
    with pytest.raises(LeaseLost):
        table.purge(fence=fence)
    assert (table.leftovers(), table.version()) == (NIGHTS, before + 1)
    assert sorted_rows(table, version=before) == sorted_rows(table) == rows
    assert table.purge(fence=free) == NIGHTS
    assert table.leftovers() == 0
    assert (len(files_of(table)), sorted_rows(table) == rows) == (1, True)
    with pytest.raises(ErasedError):
        table.read(version=before)


def test_few_files_stay_as_they_are_and_so_do_large_ones(lake, monkeypatch):
    table = written(lake, "references", times=10)
    few = table.parts()
    table.purge(fence=free)
    assert table.parts() == few
    table.append([rows_of("references", [{}] * 1000).slice(10)], fence=free)
    large = table.parts().keys() - few.keys()
    monkeypatch.setattr("tasks.clients.table_upkeep._SMALL", 20_000)
    monkeypatch.setattr("tasks.clients.table_upkeep._MANY", 5)
    table.purge(fence=free)
    assert large < table.parts().keys()
    assert len(table.parts()) < len(few)


@pytest.fixture
def purged_under_its_reader(lake, monkeypatch):
    """A table that is purged once its reader knows the files it wants."""
    table, kept = written(lake, "suppressions"), OpenTables.give_back
    purges = iter([Lake(lake.uri).table("suppressions")])

    def purged_meanwhile(self, uri, found):
        kept(self, uri, found)
        for one in purges:
            one.purge(fence=free)

    monkeypatch.setattr(OpenTables, "give_back", purged_meanwhile)
    return table


def test_a_reader_whose_files_are_destroyed_under_it_reads_the_newest_version_instead(purged_under_its_reader):
    assert purged_under_its_reader.read().num_rows == NIGHTS


def test_a_stream_whose_files_are_destroyed_ends_with_a_named_error_and_never_short(purged_under_its_reader):
    with pytest.raises(Conflict, match="run the stage again"):
        list(purged_under_its_reader.batches())


def test_the_daily_purge_keeps_up_every_table_and_suppressions_are_never_absent(tmp_path):
    world = erasable_world(tmp_path, on_disk=True)
    grown = [written(world.lake, name) for name in ("suppressions", "receipts", "tasks")]
    fence = Fence(grown[0])
    lease = lease_of(world, "purge")
    lease.check = fence
    purge_lake(world, lease)
    assert [len(table.parts()) for table in grown] == [1, 1, 1]
    assert set(fence.seen) == {NIGHTS}
