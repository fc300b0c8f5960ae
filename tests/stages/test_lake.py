"""The lake on a local folder: one commit per write, only what changed, nothing left after a purge."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from labelloop.errors import Conflict, ContractError, ErasedError, InputError, LeaseLost, UnavailableError
from tasks.clients.lake import Lake, LakeTable
from tests.builders.rows import hex_id, rows_of


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path))


@pytest.fixture
def references(lake):
    return lake.table("references")


def free():
    """A fence that lets everything pass."""


def test_an_absent_table_is_empty_and_has_no_version(references):
    assert (references.version(), references.read().num_rows, list(references.batches())) == (None, 0, [])
    assert references.read().schema == references.contract.schema


def test_a_project_table_needs_a_project_and_lies_apart_from_others(lake):
    with pytest.raises(InputError, match="'units'"):
        lake.table("units")
    assert lake.table("units", "digits").uri != lake.table("units", "letters").uri
    assert lake.table("references", "digits").uri == lake.table("references").uri


def test_rows_are_inserted_replaced_or_left_alone(references):
    references.upsert(rows_of("references", [{"size": 1}, {"size": 2}]), fence=free)
    changed = rows_of("references", [{"size": 1}, {"size": 20}, {"size": 3}])
    references.upsert(changed, fence=free)
    rows = references.read().sort_by("ref_id")
    assert rows.column("size").to_pylist() == [1, 20, 3]


def test_a_change_to_or_from_null_is_a_change(references):
    for etag in ("e", None, "e"):
        references.upsert(rows_of("references", [{"etag": etag}]), fence=free)
        assert references.read().column("etag").to_pylist() == [etag]


def test_what_is_there_already_commits_nothing(references):
    rows = rows_of("references", [{}, {}])
    first = references.upsert(rows, fence=free)
    assert references.upsert(rows.slice(1), fence=free) == first == references.version()


def test_nothing_to_write_makes_no_table(references):
    assert references.upsert(rows_of("references", []), fence=free) is None
    assert references.version() is None


def test_list_columns_survive_and_compare(lake):
    units = lake.table("units", "digits")
    rows = rows_of("units", [{"ref_ids": [hex_id(1), hex_id(2)]}, {"ref_ids": []}])
    version = units.upsert(rows, fence=free)
    assert units.read().sort_by("unit_id").column("ref_ids").to_pylist() == [[hex_id(1), hex_id(2)], []]
    assert units.upsert(rows, fence=free) == version


def test_a_composite_key_tells_rows_apart(lake):
    labels = lake.table("labels", "digits")
    given = [{"unit_id": hex_id(1), "control": c, "label": c} for c in ("digit", "quality")]
    labels.upsert(rows_of("labels", given), fence=free)
    labels.upsert(rows_of("labels", [{**given[1], "label": "blurred"}]), fence=free)
    assert sorted(labels.read().column("label").to_pylist()) == ["blurred", "digit"]


def test_repeated_keys_and_foreign_shapes_are_refused(references):
    with pytest.raises(InputError, match="primary key"):
        references.upsert(rows_of("references", [{"ref_id": hex_id(1)}] * 2), fence=free)
    with pytest.raises(ContractError):
        references.upsert(pa.table({"ref_id": [hex_id(1)]}), fence=free)


def test_an_old_version_can_be_read(references):
    first = references.upsert(rows_of("references", [{"size": 1}]), fence=free)
    references.upsert(rows_of("references", [{"size": 2}]), fence=free)
    assert references.read(version=first).column("size").to_pylist() == [1]


def test_a_purged_version_is_told_to_be_erased_and_never_read_as_empty(references):
    for size in (1, 2, 3):
        newest = references.upsert(rows_of("references", [{"size": size}]), fence=free)
    references.purge(fence=free)
    assert references.read(version=references.version()).column("size").to_pylist() == [3]
    for version in range(newest):
        with pytest.raises(ErasedError, match=f"version {version} of table 'references'"):
            references.read(version=version)


def test_a_version_whose_files_alone_are_gone_is_told_to_be_erased(references, tmp_path):
    first = references.upsert(rows_of("references", [{"size": 1}]), fence=free)
    (file,) = (tmp_path / "references").glob("*.parquet")
    references.upsert(rows_of("references", [{"size": 2}]), fence=free)
    file.unlink()
    with pytest.raises(ErasedError):
        references.read(version=first)


def test_a_version_of_a_table_that_was_never_written_is_refused(references):
    with pytest.raises(ErasedError):
        references.read(version=1)


def test_only_the_asked_columns_and_rows_are_read(references):
    references.upsert(rows_of("references", [{"size": 1}, {"size": 2}]), fence=free)
    found = references.read(columns=["ref_id"], where=ds.field("size") > 1)
    assert found.to_pydict() == {"ref_id": [hex_id(1)]}


def test_batches_hold_the_whole_table_in_the_contracts_types(references):
    references.upsert(rows_of("references", [{}] * 10), fence=free)
    batches = list(references.batches(columns=["ref_id", "size"], rows=4))
    assert max(batch.num_rows for batch in batches) <= 4
    assert pa.Table.from_batches(batches).schema == pa.schema(
        [references.contract.schema.field(n) for n in ("ref_id", "size")]
    )
    assert sum(batch.num_rows for batch in batches) == 10


def test_rows_are_deleted_by_opaque_keys_only(references):
    references.upsert(rows_of("references", [{}, {}, {}]), fence=free)
    assert references.delete("ref_id", [hex_id(0), hex_id(2), hex_id(9)], fence=free) == 2
    assert references.read().column("ref_id").to_pylist() == [hex_id(1)]
    for hostile in ("' OR 1=1 --", "digits/anna/1.png", ""):
        with pytest.raises(InputError, match="opaque"):
            references.delete("key", [hostile], fence=free)


def test_deleting_nothing_or_from_nothing_is_no_commit(references):
    assert references.delete("ref_id", [hex_id(0)], fence=free) == 0
    version = references.upsert(rows_of("references", [{}]), fence=free)
    assert references.delete("ref_id", [], fence=free) == 0
    assert references.version() == version


@pytest.mark.parametrize("act", ["upsert", "delete", "purge"])
def test_a_closed_fence_stops_every_effect(references, act):
    version = references.upsert(rows_of("references", [{}]), fence=free)

    def closed():
        raise LeaseLost("taken over")

    arguments = {"upsert": [rows_of("references", [{"size": 9}])], "delete": ["ref_id", [hex_id(0)]], "purge": []}
    with pytest.raises(LeaseLost):
        getattr(references, act)(*arguments[act], fence=closed)
    assert references.version() == version


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
