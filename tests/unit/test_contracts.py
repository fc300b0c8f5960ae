"""Contracts: what is derived from their files, and that the files, the data map and the page agree."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from docs.write import PAGES, ROOT
from labelloop.contracts import all_contracts, broken_keys, contract, expectations, shaped
from labelloop.contracts.arrow_type import arrow_type
from labelloop.contracts.data_map import data_map
from labelloop.errors import ConfigurationError, ContractError
from tests.builders.rows import hex_id, rows_of

GOLDEN = Path(__file__).parents[1] / "golden" / "contracts.json"
EVERY = [pytest.param(c, id=c.name) for c in all_contracts()]


def test_an_unknown_table_is_named():
    with pytest.raises(ConfigurationError, match="'reference'"):
        contract("reference")


@pytest.mark.parametrize(
    "name", ["", "text", "list<text>", "struct<a>", "struct<a list<string>", "map<string, string>"]
)
def test_an_unknown_type_is_named(name):
    with pytest.raises(ConfigurationError, match="no type of a contract"):
        arrow_type(name)


def test_brackets_keep_the_fields_of_a_type_apart():
    found = arrow_type("struct<a list<struct<b double, c string>>, d timestamp[us, UTC]>")
    assert [field.name for field in found] == ["a", "d"]
    assert found.field("d").type == pa.timestamp("us", tz="UTC")


@pytest.mark.parametrize("rules", EVERY)
def test_a_contract_has_a_required_primary_key_and_describes_each_column(rules):
    required = {c.name for c in rules.columns if c.required}
    assert rules.primary_key
    assert set(rules.primary_key) <= required
    assert all(c.description for c in rules.columns)


@pytest.mark.parametrize("rules", EVERY)
def test_a_foreign_key_names_a_table_and_column_that_exist(rules):
    for key in rules.foreign_keys:
        assert key.key in contract(key.table).schema.names


@pytest.mark.parametrize("rules", EVERY)
def test_the_plainest_valid_row_has_the_contracts_shape(rules):
    assert shaped(rules, rows_of(rules.name, [{}])).schema == rules.schema


@pytest.mark.parametrize("rules", EVERY)
def test_the_data_map_names_every_column_in_order(rules):
    assert list(data_map().tables[rules.name].columns) == rules.schema.names


def test_the_data_map_names_no_table_that_is_not_there():
    assert set(data_map().tables) == {c.name for c in all_contracts()}


@pytest.mark.parametrize("rules", EVERY)
def test_a_changed_contract_gets_a_new_version(rules):
    known = json.loads(GOLDEN.read_text()).get(f"{rules.name} {rules.version}")
    digest = _digest(rules)
    assert known == digest, (
        f"the rules of {rules.name} changed: raise `version` in data_contracts/{rules.name}.yaml and add "
        f'"{rules.name} VERSION": "{digest}" to {GOLDEN.name}; never change a line that is there'
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_derived_page_says_what_the_code_says(name):
    assert (ROOT / name).read_text(encoding="utf-8") == PAGES[name](), "run `python -m docs.write`"


def test_row_rules_follow_from_the_file():
    found = [(e.rule, e.arguments) for e in expectations(contract("batches")) if e.column == "inclusion_probability"]
    assert found == [("range", (("min_value", 0), ("max_value", 1)))]
    assert [e.rule for e in expectations(contract("units")) if e.column == "unit_id"] == ["required", "pattern"]


class TestShape:
    rules = contract("tasks")

    def test_column_order_does_not_matter(self):
        rows = rows_of("tasks", [{}])
        assert shaped(self.rules, rows.select(sorted(rows.column_names))).schema == self.rules.schema

    @pytest.mark.parametrize("kind", [pa.int32(), pa.uint8()])
    def test_narrow_numbers_are_widened(self, kind):
        rows = _with(rows_of("tasks", [{}]), "task_id", pa.array([7], kind))
        assert shaped(self.rules, rows).column("task_id").to_pylist() == [7]

    @pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
    def test_any_layout_of_text_is_text(self, kind):
        rows = _with(rows_of("tasks", [{}]), "server", pa.array(["s"]).cast(kind))
        assert shaped(self.rules, rows).column("server").to_pylist() == ["s"]

    @pytest.mark.parametrize("values", [["1"], [1.0], [True]])
    def test_values_of_another_kind_are_refused_and_not_converted(self, values):
        with pytest.raises(ContractError, match="task_id"):
            shaped(self.rules, _with(rows_of("tasks", [{}]), "task_id", pa.array(values)))

    def test_a_time_without_zone_is_refused(self):
        naive = rows_of("tasks", [{}]).column("pushed_at").cast(pa.timestamp("us"))
        with pytest.raises(ContractError, match="pushed_at"):
            shaped(self.rules, _with(rows_of("tasks", [{}]), "pushed_at", naive))

    def test_missing_and_unknown_columns_are_all_named(self):
        rows = rows_of("tasks", [{}]).rename_columns({"server": "sever"})
        with pytest.raises(ContractError, match=r"'server', 'sever'"):
            shaped(self.rules, rows)

    def test_a_repeated_column_is_refused(self):
        rows = rows_of("tasks", [{}])
        with pytest.raises(ContractError):
            shaped(self.rules, rows.append_column("server", rows.column("server")))

    def test_a_missing_required_value_is_refused_only_when_strict(self):
        rows = _with(rows_of("tasks", [{}]), "server", pa.array([None], pa.string()))
        assert shaped(self.rules, rows, strict=False).column("server").null_count == 1
        with pytest.raises(ContractError):
            shaped(self.rules, rows)

    def test_a_number_beyond_64_bits_is_refused(self):
        with pytest.raises(ContractError, match="too large"):
            shaped(self.rules, _with(rows_of("tasks", [{}]), "task_id", pa.array([2**64 - 1], pa.uint64())))


class TestKeys:
    rules = contract("units")
    (members,) = rules.foreign_keys

    def test_good_rows_break_nothing(self):
        assert (
            broken_keys(self.rules, rows_of("units", [{}, {}]), {self.members: rows_of("references", [{}, {}])}) == ()
        )

    def test_each_surplus_row_of_a_key_counts(self):
        rows = rows_of("units", [{"unit_id": hex_id(1)}] * 3)
        (broken,) = broken_keys(self.rules, rows, {})
        assert (broken.rule, broken.columns, broken.count) == ("unique", ("unit_id",), 2)

    def test_a_composite_key_repeats_only_as_a_whole(self):
        rows = rows_of("labels", [{"unit_id": hex_id(1), "control": c} for c in ("digit", "quality")])
        assert broken_keys(contract("labels"), rows, {}) == ()

    def test_each_item_of_a_list_must_exist_and_is_counted_once(self):
        rows = rows_of("units", [{"ref_ids": [hex_id(0), hex_id(7)]}, {"ref_ids": [hex_id(7)]}, {"ref_ids": []}])
        (broken,) = broken_keys(self.rules, rows, {self.members: rows_of("references", [{}])})
        assert (broken.rule, broken.columns, broken.count) == ("reference", ("ref_ids",), 1)

    def test_the_referenced_table_may_be_a_stream(self):
        others = rows_of("references", [{}]).select(["ref_id"])
        assert broken_keys(self.rules, rows_of("units", [{}]), {self.members: others.to_reader()}) == ()

    def test_a_null_refers_to_nothing(self):
        (key,) = contract("tasks").foreign_keys
        rows = _with(rows_of("tasks", [{}]), "unit_id", pa.array([None], pa.string()))
        assert broken_keys(contract("tasks"), rows, {key: rows_of("units", [])}) == ()


def _with(rows, column, values):
    return rows.set_column(rows.schema.get_field_index(column), column, values)


def _digest(rules):
    columns = [dataclasses.replace(c, description="") for c in rules.columns]
    described = repr((columns, rules.primary_key, rules.foreign_keys, rules.scope))
    return hashlib.sha256(described.encode()).hexdigest()[:16]
