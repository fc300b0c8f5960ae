"""What every judge of rows must find; the Arrow judge and Great Expectations pass the same tests."""

from __future__ import annotations

import pyarrow as pa
import pytest

from labelloop.contracts import all_contracts, contract, expectations
from tasks.clients.expectations import RowRules
from tests.builders.rows import hex_id, rows_of


class RowRulesSuite:
    """Subclasses give the fixture `judge`."""

    @pytest.mark.parametrize("rules", all_contracts(), ids=lambda c: c.name)
    def test_the_plainest_valid_rows_of_every_table_pass(self, judge: RowRules, rules):
        asked = expectations(rules)
        assert judge.failing(asked, rows_of(rules.name, [{}, {}])) == [[]] * len(asked)

    def test_no_rows_and_no_rules_break_nothing(self, judge: RowRules):
        asked = expectations(contract("units"))
        assert judge.failing(asked, rows_of("units", [])) == [[]] * len(asked)
        assert judge.failing((), rows_of("units", [{}])) == []

    @pytest.mark.parametrize(
        ("table", "column", "good", "bad", "rule"),
        [
            ("references", "bucket", "b", None, "required"),
            ("references", "size", 0, -1, "range"),
            ("references", "state", "active", "Active", "allowed"),
            ("references", "ref_id", hex_id(1), "0" * 31 + "G", "pattern"),
            ("references", "subject_hmac", None, "", "pattern"),
            ("batches", "inclusion_probability", None, 1.0000001, "range"),
            ("batches", "queue_score", 1.0, float("nan"), "required"),
            ("units", "ref_ids", [], None, "required"),
            ("tasks", "prediction_shown", True, None, "required"),
            ("tasks", "pushed_at", 0, None, "required"),
        ],
    )
    def test_exactly_the_bad_rows_are_found(self, judge: RowRules, table, column, good, bad, rule):
        rows = rows_of(table, [{column: value} for value in (good, bad, good, bad)])
        asked = expectations(contract(table))
        found = {(e.rule, e.column): numbers for e, numbers in zip(asked, judge.failing(asked, rows), strict=True)}
        assert {what: numbers for what, numbers in found.items() if numbers} == {(rule, column): [1, 3]}

    def test_one_row_may_break_several_rules(self, judge: RowRules):
        asked = expectations(contract("references"))
        found = judge.failing(asked, rows_of("references", [{"size": -1, "state": "odd"}]))
        assert [e.column for e, numbers in zip(asked, found, strict=True) if numbers] == ["size", "state"]

    def test_a_column_of_nulls_only_is_judged(self, judge: RowRules):
        rows = rows_of("references", [{}, {}])
        empty = rows.set_column(rows.schema.get_field_index("state"), "state", pa.nulls(2, pa.string()))
        asked = expectations(contract("references"))
        found = judge.failing(asked, empty)
        assert [numbers for e, numbers in zip(asked, found, strict=True) if e.column == "state"] == [[0, 1], []]
