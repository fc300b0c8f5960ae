"""The lake on a local folder keeps the contract of every lake, and leaves nothing behind after a purge."""

from __future__ import annotations

import pickle
import shutil

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import write_deltalake

from labelloop.contracts import contract
from labelloop.errors import Conflict, ContractError, ErasedError, UnavailableError
from tasks.clients.lake import Lake, LakeTable
from tests.builders.rows import hex_id, rows_of
from tests.contract_suites.lake_suite import LakeSuite, free


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path))


@pytest.fixture
def references(lake):
    return lake.table("references")


class TestDeltaLake(LakeSuite):
    pass


def test_what_others_commit_and_purge_is_seen_by_a_lake_that_had_the_table_open(lake, references):
    theirs = Lake(lake.uri).table("references")
    for size in (1, 2, 3, 4):
        theirs.upsert(rows_of("references", [{"size": size}]), fence=free)
        if size > 2:
            theirs.purge(fence=free)
        assert references.read()["size"].to_pylist() == [size]
        assert references.version() == theirs.version()
    references.upsert(rows_of("references", [{"size": 5}]), fence=free)
    assert theirs.read()["size"].to_pylist() == [5]


def test_a_copy_of_a_lake_opens_its_tables_itself(lake, references):
    references.upsert(rows_of("references", [{"size": 1}]), fence=free)
    copied = pickle.loads(pickle.dumps(lake)).table("references")  # noqa: S301 - as between processes of a cluster
    assert copied.read() == references.read()


def test_a_version_whose_files_alone_are_gone_is_told_to_be_erased(references, tmp_path):
    first = references.upsert(rows_of("references", [{"size": 1}]), fence=free)
    (file,) = (tmp_path / "references").glob("*.parquet")
    references.upsert(rows_of("references", [{"size": 2}]), fence=free)
    file.unlink()
    with pytest.raises(ErasedError):
        references.read(version=first)


def test_a_purge_leaves_the_newest_version_and_no_file_beside_it(references, tmp_path):
    for size in (1, 2, 3):
        references.upsert(rows_of("references", [{"size": size}]), fence=free)
    folder = tmp_path / "references"
    shutil.copy(next(folder.glob("*.parquet")), folder / "part-00000-left-by-a-killed-writer.parquet")
    references.purge(fence=free)
    assert references.read().column("size").to_pylist() == [3]
    assert len(list(folder.rglob("part-*.parquet"))) == 1
    references.upsert(rows_of("references", [{"size": 4}]), fence=free)
    assert references.read().column("size").to_pylist() == [4]


def test_a_lost_race_is_run_again_on_the_newest_version(lake, references):
    references.upsert(rows_of("references", [{}]), fence=free)
    rival, races = lake.table("references"), iter([{"ref_id": hex_id(8)}, {"ref_id": hex_id(9)}])

    def overtaken():
        for row in races:
            rival.upsert(rows_of("references", [row]), fence=free)
            return

    references.upsert(rows_of("references", [{"size": 5}]), fence=overtaken)
    found = references.read().sort_by("ref_id")
    assert found.column("ref_id").to_pylist() == [hex_id(0), hex_id(8), hex_id(9)]
    assert found.column("size").to_pylist() == [5, 0, 0]


def test_a_race_lost_every_time_is_a_conflict(references, monkeypatch):
    def always_lost(*_):
        raise Conflict("another writer committed first")

    monkeypatch.setattr(LakeTable, "_merge", always_lost)
    monkeypatch.setattr("tasks.clients.lake._PAUSE", 0)
    with pytest.raises(Conflict):
        references.upsert(rows_of("references", [{}]), fence=free)


def test_an_address_that_does_not_answer_is_named_without_its_details():
    silent = Lake(
        "s3://lake",
        {
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "r",
            "AWS_ACCESS_KEY_ID": "k",
            "AWS_SECRET_ACCESS_KEY": "s",
            "max_retries": "0",
        },
    )
    with pytest.raises(UnavailableError) as failure:
        silent.table("references").read()
    assert "127.0.0.1" not in str(failure.value)


@pytest.mark.parametrize("named", [0, 10])
def test_rows_are_replaced_whether_few_or_many_and_a_rival_makes_no_row_twice(references, monkeypatch, named):
    monkeypatch.setattr("tasks.clients.lake._NAMED", named)
    references.upsert(rows_of("references", [{"size": n} for n in range(4)]), fence=free)
    references.upsert(rows_of("references", [{"size": 9}, {"size": 1}]), fence=free)
    assert references.read().sort_by("ref_id")["size"].to_pylist() == [9, 1, 2, 3]
    rivals = [rows_of("references", [{"ref_id": hex_id(4), "size": 7}])]

    def rival_comes_first():
        if rivals:
            references.append([rivals.pop()], fence=free)

    references.upsert(rows_of("references", [{"ref_id": hex_id(4), "size": 8}]), fence=rival_comes_first)
    assert references.read().sort_by("ref_id")["size"].to_pylist() == [9, 1, 2, 3, 8]


# What version 2.0.0 of the contract `annotations` added to 1.0.0.
ADDED = ["paths", "ranked", "regions", "per_region", "relations"]


def written_by_version_1(lake, rows):
    """The table `annotations` of a lake that the first version of its contract shaped."""
    table = lake.table("annotations", "p")
    write_deltalake(table.uri, rows_of("annotations", rows).drop_columns(ADDED))
    return table


def test_columns_that_came_into_a_contract_later_are_null_in_an_older_lake(lake):
    table = written_by_version_1(lake, [{"choices": ["7"]}, {}])
    assert table.read().schema == contract("annotations").schema
    assert table.read(columns=["regions"])["regions"].null_count == 2
    assert table.read(where=pc.field("regions").is_valid()).num_rows == 0
    assert sum(batch.num_rows for batch in table.batches()) == 2
    assert table.version() == 0  # reading adds nothing


@pytest.mark.parametrize("write", ["upsert", "append"])
def test_the_next_write_to_an_older_lake_adds_them_and_loses_nothing(lake, write):
    region = {"region_id": "r", "labels": ["car"], "points": [1.0, 2.0, 3.0, 4.0]}
    table = written_by_version_1(lake, [{"choices": ["7"]}, {"choices": ["8"]}])
    new = rows_of("annotations", [{}, {}, {"choices": None, "regions": [region]}])[2:]
    getattr(table, write)(new if write == "upsert" else [new], fence=free)
    found = table.read().sort_by("annotation_id")
    assert found["choices"].to_pylist() == [["7"], ["8"], None]
    assert [row and row[0]["points"] for row in found["regions"].to_pylist()] == [None, None, [1.0, 2.0, 3.0, 4.0]]
    assert table.read(version=0)["regions"].null_count == 2
    assert table.upsert(new, fence=free) == table.version() == 2  # the columns, the row, and no third commit
    assert table.delete("unit_id", new["unit_id"].to_pylist(), fence=free) == 1


def test_a_closed_fence_keeps_an_older_lake_as_it_is(lake):
    table = written_by_version_1(lake, [{}])

    def closed():
        raise Conflict("no")

    with pytest.raises(Conflict):
        table.append([rows_of("annotations", [{}, {}])[1:]], fence=closed)
    assert table.version() == 0


STORED = rows_of("datasets", [{}])


@pytest.mark.parametrize(
    ("stored", "told"),
    [
        (STORED.drop_columns(STORED.column_names[1:2]), "lacks the required columns"),
        (STORED.append_column("later", pa.array([1])), r"unknown columns \['later'\]"),
        (STORED.set_column(1, STORED.column_names[1], pa.array([1.5])), "another type"),
    ],
)
def test_a_table_of_another_shape_is_refused_by_name_whatever_is_asked_of_it(lake, stored, told):
    table = lake.table("datasets", "p")
    write_deltalake(table.uri, stored)
    for ask in (table.version, table.read, lambda: table.upsert(STORED, fence=free), table.leftovers):
        with pytest.raises(ContractError, match=f"'datasets'.*{told}.*runbook"):
            ask()
