"""The gate to the lake and the quarantine behind it, on a world in a temporary folder."""

from __future__ import annotations

from base64 import b64encode

import pyarrow as pa
import pytest

from labelloop.contracts import Refusal
from labelloop.errors import ContractError, ErasedError, InputError, LeaseLost
from tasks.clients.lake import Lake
from tasks.clients.lease import try_acquire
from tasks.clients.quarantine import expire, payloads, quarantine
from tasks.clients.vault import opened, sealed, sealed_many, shred
from tasks.contracts import commit, commit_new
from tests.builders.rows import hex_id, rows_of
from tests.fakes.hot import MemoryHotState
from tests.fakes.world import lease_of, make_world


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


@pytest.fixture
def lease(world):
    return lease_of(world)


def versions(world, *tables):
    return [world.table(name).version() for name in tables]


class TestCommit:
    def test_good_rows_reach_the_lake_and_none_is_refused(self, world, lease):
        assert commit(world, lease, "references", rows_of("references", [{}, {}]), stage="sync") == 0
        assert world.table("references").read().num_rows == 2
        assert world.table("quarantine").version() is None

    def test_rows_that_are_already_there_commit_nothing(self, world, lease):
        seen = []
        for _ in range(2):
            commit(world, lease, "references", rows_of("references", [{}]), stage="sync")
            seen.append(versions(world, "references"))
        assert seen[0] == seen[1] != [None]

    def test_no_rows_make_no_table(self, world, lease):
        assert commit(world, lease, "references", rows_of("references", []), stage="sync") == 0
        assert versions(world, "references") == [None]

    def test_a_row_that_breaks_a_rule_goes_to_quarantine_and_the_others_pass(self, world, lease):
        rows = rows_of("references", [{}, {"size": -1}, {}])
        assert commit(world, lease, "references", rows, stage="sync") == 1
        assert world.table("references").read().column("ref_id").to_pylist() == [hex_id(0), hex_id(2)]
        (kept,) = world.table("quarantine").read().to_pylist()
        assert [kept[c] for c in ("contract", "rule", "column", "stage")] == ["references", "range", "size", "sync"]

    def test_a_row_refused_while_others_are_being_written_goes_to_quarantine_too(self, tmp_path):
        world = make_world(tmp_path, lake=Lake(str(tmp_path / "lake")))  # Delta's threads are what is in the way
        parts = [rows_of("references", [{"ref_id": hex_id(n), "size": size}]) for n, size in enumerate((1, -1, 2))]
        assert commit_new(world, lease_of(world), "references", parts, stage="sync") == 1
        assert sorted(world.table("references").read()["size"].to_pylist()) == [1, 2]
        assert world.table("quarantine").read().num_rows == 1

    def test_a_row_that_breaks_two_rules_is_one_refused_row_with_two_reasons(self, world, lease):
        rows = rows_of("references", [{"size": None, "state": "odd"}])
        assert commit(world, lease, "references", rows, stage="sync") == 1
        kept = world.table("quarantine").read().to_pylist()
        assert sorted((k["rule"], k["column"]) for k in kept) == [("allowed", "state"), ("required", "size")]

    def test_refusing_the_same_row_again_keeps_it_once(self, world, lease):
        seen = []
        for _ in range(2):
            commit(world, lease, "references", rows_of("references", [{"size": -1}]), stage="sync")
            seen.append(versions(world, "quarantine"))
        assert world.table("quarantine").read().num_rows == 1
        assert seen[0] == seen[1]

    @pytest.mark.parametrize(
        ("table", "given", "problem"),
        [
            ("references", [{"ref_id": hex_id(1)}, {"ref_id": hex_id(1)}], "1 rows repeat a primary key"),
            ("units", [{"ref_ids": [hex_id(5)]}], "1 values of ref_ids refer to nothing"),
        ],
    )
    def test_a_broken_key_refuses_the_table_before_any_effect(self, world, lease, table, given, problem):
        refused = {"state": "odd"} if table == "references" else {"kind": "odd"}
        with pytest.raises(ContractError, match=f"'{table}'.*{problem}"):
            commit(world, lease, table, rows_of(table, [*given, refused]), stage="sync")
        assert versions(world, table, "quarantine") == [None, None]

    def test_wrong_columns_refuse_the_table_before_any_effect(self, world, lease):
        with pytest.raises(ContractError, match="references"):
            commit(world, lease, "references", pa.table({"ref_id": [hex_id(1)]}), stage="sync")
        assert versions(world, "references", "quarantine") == [None, None]

    def test_a_reference_made_only_by_a_refused_row_refers_to_nothing(self, world, lease):
        commit(world, lease, "references", rows_of("references", [{"size": -1}]), stage="sync")
        with pytest.raises(ContractError, match="refer to nothing"):
            commit(world, lease, "units", rows_of("units", [{}]), stage="sample")

    def test_rows_refer_to_rows_committed_before(self, world, lease):
        commit(world, lease, "references", rows_of("references", [{}]), stage="sync")
        assert commit(world, lease, "units", rows_of("units", [{}]), stage="sample") == 0

    def test_nothing_is_written_after_the_lease_is_lost(self, world):
        lost = try_acquire(world.hot, "digits/sync", seconds=1, clock=lambda: 0.0)
        try_acquire(world.hot, "digits/sync", seconds=1, clock=lambda: 2.0)
        with pytest.raises(LeaseLost):
            commit(world, lost, "references", rows_of("references", [{}, {"size": -1}]), stage="sync")
        assert versions(world, "references", "quarantine") == [None, None]


class TestQuarantine:
    refusal = Refusal("references", "digits/anna/1.png", "zero bytes", payload={"key": "digits/anna/1.png"})

    def test_only_the_opened_payload_names_the_object(self, world, lease):
        assert quarantine(world, lease, [self.refusal], stage="sync") == 1
        ((row_id, payload),) = payloads(world)
        assert payload == {"key": "digits/anna/1.png"}
        (kept,) = world.table("quarantine").read().to_pylist()
        assert kept["row_id"] == row_id
        assert "anna" not in str(kept)

    def test_its_id_cannot_be_computed_without_the_key(self, world, lease, tmp_path):
        other = make_world(tmp_path / "other", settings={"suppression_keys": {"k1": b64encode(b"*" * 32).decode()}})
        ids = []
        for each in (world, other):
            quarantine(each, lease, [self.refusal], stage="sync")
            ids += each.table("quarantine").read().column("row_id").to_pylist()
        assert len(set(ids)) == 2

    def test_after_thirty_days_row_and_key_are_gone(self, world, lease):
        quarantine(world, lease, [self.refusal], stage="sync")
        world.now.advance(days=29)
        assert expire(world, lease) == 0
        world.now.advance(days=1)
        assert expire(world, lease) == 1
        assert world.table("quarantine").read().num_rows == 0
        assert world.vault.keys("") == []

    def test_a_key_is_kept_while_a_row_of_its_day_still_has_time(self, world, lease):
        quarantine(world, lease, [self.refusal], stage="sync")
        world.now.advance(hours=6)
        quarantine(world, lease, [self.refusal], stage="score")
        world.now.advance(days=30, hours=-6)
        assert expire(world, lease) == 1
        assert [payload for _, payload in payloads(world)] == [{"key": "digits/anna/1.png"}]

    def test_a_run_killed_between_key_and_row_leaves_nothing_unreadable_in_the_way(self, world, lease):
        quarantine(world, lease, [self.refusal], stage="sync")
        world.now.advance(days=30)
        for key in world.vault.keys(""):
            world.vault.delete(key)
        assert list(payloads(world)) == []
        assert expire(world, lease) == 1


class TestVault:
    vault = property(lambda _: MemoryHotState())

    def test_what_was_sealed_can_be_opened_and_does_not_show(self):
        vault = self.vault
        secret = sealed(vault, "plans/1", b"digits/anna/1.png")
        assert b"anna" not in secret
        assert opened(vault, "plans/1", secret) == b"digits/anna/1.png"

    def test_the_same_text_is_sealed_differently_each_time(self):
        assert len(set(sealed_many(self.vault, "plans/1", [b"same"] * 3))) == 3

    def test_after_shredding_nothing_opens_and_a_new_key_does_not_help(self):
        vault = self.vault
        secret = sealed(vault, "plans/1", b"text")
        shred(vault, "plans/1")
        with pytest.raises(ErasedError):
            opened(vault, "plans/1", secret)
        sealed(vault, "plans/1", b"other")
        with pytest.raises(InputError):
            opened(vault, "plans/1", secret)

    def test_a_changed_bit_or_another_name_is_refused(self):
        vault = self.vault
        secret = sealed(vault, "plans/1", b"text")
        sealed(vault, "plans/2", b"text")
        with pytest.raises(InputError):
            opened(vault, "plans/1", secret[:-1] + bytes([secret[-1] ^ 1]))
        with pytest.raises(InputError):
            opened(vault, "plans/2", secret)
