"""What every lake must do; run against Delta tables and against the fake.

A subclass gives the fixture `lake`.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from labelloop.errors import Conflict, ContractError, ErasedError, InputError, LeaseLost, UnavailableError
from tests.builders.rows import hex_id, rows_of


def free():
    """A fence that lets everything pass."""


class LakeSuite:
    @pytest.fixture
    def references(self, lake):
        return lake.table("references")

    def test_an_absent_table_is_empty_and_has_no_version(self, references):
        assert (references.version(), references.read().num_rows, list(references.batches())) == (None, 0, [])
        assert references.read().schema == references.contract.schema

    def test_a_project_table_needs_a_project_and_lies_apart_from_others(self, lake):
        with pytest.raises(InputError, match="'units'"):
            lake.table("units")
        assert lake.table("units", "digits").uri != lake.table("units", "letters").uri
        assert lake.table("references", "digits").uri == lake.table("references").uri

    def test_rows_are_inserted_replaced_or_left_alone(self, references):
        references.upsert(rows_of("references", [{"size": 1}, {"size": 2}]), fence=free)
        changed = rows_of("references", [{"size": 1}, {"size": 20}, {"size": 3}])
        references.upsert(changed, fence=free)
        rows = references.read().sort_by("ref_id")
        assert rows.column("size").to_pylist() == [1, 20, 3]

    def test_a_change_to_or_from_null_is_a_change(self, references):
        for etag in ("e", None, "e"):
            references.upsert(rows_of("references", [{"etag": etag}]), fence=free)
            assert references.read().column("etag").to_pylist() == [etag]

    def test_what_is_there_already_commits_nothing(self, references):
        rows = rows_of("references", [{}, {}])
        first = references.upsert(rows, fence=free)
        assert references.upsert(rows.slice(1), fence=free) == first == references.version()

    def test_nothing_to_write_makes_no_table(self, references):
        assert references.upsert(rows_of("references", []), fence=free) is None
        assert references.version() is None

    def test_list_columns_survive_and_compare(self, lake):
        units = lake.table("units", "digits")
        rows = rows_of("units", [{"ref_ids": [hex_id(1), hex_id(2)]}, {"ref_ids": []}])
        version = units.upsert(rows, fence=free)
        assert units.read().sort_by("unit_id").column("ref_ids").to_pylist() == [[hex_id(1), hex_id(2)], []]
        assert units.upsert(rows, fence=free) == version

    def test_a_composite_key_tells_rows_apart(self, lake):
        labels = lake.table("labels", "digits")
        given = [{"unit_id": hex_id(1), "control": c, "label": c} for c in ("digit", "quality")]
        labels.upsert(rows_of("labels", given), fence=free)
        labels.upsert(rows_of("labels", [{**given[1], "label": "blurred"}]), fence=free)
        assert sorted(labels.read().column("label").to_pylist()) == ["blurred", "digit"]

    def test_repeated_keys_and_foreign_shapes_are_refused(self, references):
        with pytest.raises(InputError, match="primary key"):
            references.upsert(rows_of("references", [{"ref_id": hex_id(1)}] * 2), fence=free)
        with pytest.raises(ContractError):
            references.upsert(pa.table({"ref_id": [hex_id(1)]}), fence=free)

    def test_rows_can_be_read_by_the_files_they_lie_in_and_no_name_is_used_twice(self, references):
        assert (references.parts(), references.read(parts=[]).num_rows) == ({}, 0)
        references.upsert(rows_of("references", [{"size": 1}, {"size": 2}]), fence=free)
        first = references.parts()
        assert sum(first.values()) == references.read(parts=[*first]).num_rows == 2
        one = references.read(parts=[*first], columns=["size"], where=ds.field("size") > 1)
        assert one.to_pylist() == [{"size": 2}]
        references.upsert(rows_of("references", [{"size": 1}, {"size": 20}]), fence=free)
        assert sum(references.parts().values()) == 2
        assert references.read(parts=[]).num_rows == 0
        assert references.parts().keys() - first.keys()
        with pytest.raises(Conflict):
            references.read(parts=[*first])

    def test_an_old_version_can_be_read(self, references):
        first = references.upsert(rows_of("references", [{"size": 1}]), fence=free)
        references.upsert(rows_of("references", [{"size": 2}]), fence=free)
        assert references.read(version=first).column("size").to_pylist() == [1]

    def test_a_purged_version_is_told_to_be_erased_and_never_read_as_empty(self, references):
        for size in (1, 2, 3):
            newest = references.upsert(rows_of("references", [{"size": size}]), fence=free)
        references.purge(fence=free)
        assert references.read(version=references.version()).column("size").to_pylist() == [3]
        for version in range(newest):
            with pytest.raises(ErasedError, match=f"version {version} of table 'references'"):
                references.read(version=version)

    def test_a_version_of_a_table_that_was_never_written_is_refused(self, references):
        with pytest.raises(ErasedError):
            references.read(version=1)

    def test_only_the_asked_columns_and_rows_are_read(self, references):
        references.upsert(rows_of("references", [{"size": 1}, {"size": 2}]), fence=free)
        found = references.read(columns=["ref_id"], where=ds.field("size") > 1)
        assert found.to_pydict() == {"ref_id": [hex_id(1)]}

    def test_batches_hold_the_whole_table_in_the_contracts_types(self, references):
        references.upsert(rows_of("references", [{}] * 10), fence=free)
        batches = list(references.batches(columns=["ref_id", "size"], rows=4))
        assert max(batch.num_rows for batch in batches) <= 4
        assert pa.Table.from_batches(batches).schema == pa.schema(
            [references.contract.schema.field(n) for n in ("ref_id", "size")]
        )
        assert sum(batch.num_rows for batch in batches) == 10

    def test_rows_are_deleted_by_opaque_keys_only(self, references):
        references.upsert(rows_of("references", [{}, {}, {}]), fence=free)
        assert references.delete("ref_id", [hex_id(0), hex_id(2), hex_id(9)], fence=free) == 2
        assert references.read().column("ref_id").to_pylist() == [hex_id(1)]
        for hostile in ("' OR 1=1 --", "digits/anna/1.png", ""):
            with pytest.raises(InputError, match="opaque"):
                references.delete("key", [hostile], fence=free)

    def test_deleting_nothing_or_from_nothing_is_no_commit(self, references):
        assert references.delete("ref_id", [hex_id(0)], fence=free) == 0
        version = references.upsert(rows_of("references", [{}]), fence=free)
        assert references.delete("ref_id", [], fence=free) == 0
        assert references.delete("ref_id", [hex_id(9)], fence=free) == 0
        assert references.version() == version

    def test_new_rows_are_added_in_one_commit(self, references):
        rows = rows_of("references", [{}, {}, {}])
        first = references.append([rows.slice(0, 1)], fence=free)
        assert references.append([rows.slice(1, 1), rows.slice(0, 0), rows.slice(2)], fence=free) == first + 1
        assert references.read().sort_by("ref_id") == rows.cast(references.contract.schema)
        assert references.append([], fence=free) == first + 1

    def test_rows_that_cannot_all_be_made_are_not_added(self, references):
        def breaking():
            yield rows_of("references", [{}])
            raise UnavailableError("S3 did not answer")

        with pytest.raises(UnavailableError, match="S3"):
            references.append(breaking(), fence=free)
        assert references.read().num_rows == 0

    @pytest.mark.parametrize("act", ["upsert", "append", "delete", "purge"])
    def test_a_closed_fence_stops_every_effect(self, references, act):
        version = references.upsert(rows_of("references", [{}]), fence=free)

        def closed():
            raise LeaseLost("taken over")

        rows = rows_of("references", [{"size": 9}])
        arguments = {"upsert": [rows], "append": [[rows]], "delete": ["ref_id", [hex_id(0)]], "purge": []}
        with pytest.raises(LeaseLost):
            getattr(references, act)(*arguments[act], fence=closed)
        assert references.version() == version
