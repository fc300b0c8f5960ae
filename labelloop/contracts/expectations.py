"""The row rules of a contract in Great Expectations' vocabulary, as plain data.

Nothing is run here and the package is not imported; `tasks/clients/expectations.py` runs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labelloop.contracts.contract import Column, Contract


@dataclass(frozen=True)
class Expectation:
    """One rule for the single values of one column; `rule` is our word for it."""

    rule: str
    column: str
    type: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def configuration(self) -> dict[str, Any]:
        """Return the rule as Great Expectations reads it."""
        return {
            "type": self.type,
            "kwargs": {"column": self.column, **dict(self.arguments)},
            "severity": "critical",
            "meta": {"rule": self.rule},
        }


def expectations(rules: Contract) -> tuple[Expectation, ...]:
    """Return every row rule of the contract, in column order.

    `required` (no null), `allowed` (one of the listed values), `pattern` (regular expression), `range`
    (minimum and maximum, both inclusive). Null values break only `required`.

    >>> from labelloop.contracts import contract
    >>> [e.rule for e in expectations(contract("units")) if e.column == "kind"]
    ['required', 'allowed']
    """
    return tuple(e for column in rules.columns for e in _of(column))


def _of(column: Column) -> list[Expectation]:
    found = []
    if column.required:
        found.append(Expectation("required", column.name, "expect_column_values_to_not_be_null"))
    if column.allowed:
        values = (("value_set", list(column.allowed)),)
        found.append(Expectation("allowed", column.name, "expect_column_values_to_be_in_set", values))
    if column.pattern:
        regex = (("regex", column.pattern),)
        found.append(Expectation("pattern", column.name, "expect_column_values_to_match_regex", regex))
    if column.minimum is not None or column.maximum is not None:
        limits = (("min_value", column.minimum), ("max_value", column.maximum))
        found.append(Expectation("range", column.name, "expect_column_values_to_be_between", limits))
    return found
