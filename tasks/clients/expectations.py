"""Great Expectations as the judge of rows: which rows break which rule.

The rules come from the contracts; what happens to a refused row is decided in `tasks/contracts.py`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import Expectation
from labelloop.errors import ConfigurationError

BATCH = 1_000_000


class RowRules(Protocol):
    """What every judge of rows can do."""

    def failing(self, rules: Sequence[Expectation], rows: pa.Table) -> list[list[int]]:
        """Return, for each rule, the ascending numbers of the rows that break it."""


class GreatExpectations:
    """Judges rows with Great Expectations, at most a million at a time."""

    def failing(self, rules: Sequence[Expectation], rows: pa.Table) -> list[list[int]]:
        """Return, for each rule, the ascending numbers of the rows that break it."""
        found: list[list[int]] = [[] for _ in rules]
        for start in range(0, rows.num_rows if rules else 0, BATCH):
            for numbers, result in zip(found, _validate(rules, rows.slice(start, BATCH)), strict=True):
                numbers += sorted(start + int(n) for n in result.get("unexpected_index_list") or [])
        return found


def quiet_context(**sites: dict[str, Any]) -> Any:
    """Return a Great Expectations context in memory that sends nothing out and draws no progress bars.

    Args:
        **sites: configurations of the Data Docs it writes, by name.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    # The import costs 6 to 15 seconds of processor time: only whoever judges rows pays for it.
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    # The default configuration makes a temporary folder each time and writes its path into the log.
    memory = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(), data_docs_sites=sites)
    context = gx.get_context(mode="ephemeral", project_config=memory)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def batch_of(context: Any, name: str) -> Any:
    """Return a batch definition that takes a data frame under the name."""
    source = context.data_sources.add_pandas(name)
    return source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)


def _validate(rules: Sequence[Expectation], rows: pa.Table) -> list[dict[str, Any]]:
    context = quiet_context()
    import great_expectations as gx

    batch = batch_of(context, "rows").get_batch({"dataframe": frame_of(rules, rows)})
    suite = gx.ExpectationSuite(name="rules", expectations=[rule.configuration() for rule in rules])
    answers = {}
    for answer in batch.validate(suite, result_format={"result_format": "COMPLETE"}).results:
        asked = answer.expectation_config
        if answer.exception_info.get("raised_exception"):
            raise ConfigurationError(
                f"the rule {asked.type!r} of column {asked.kwargs['column']!r} cannot be run",
                remedy="mend the rule in data_contracts/",
            )
        answers[asked.type, asked.kwargs["column"]] = answer.result
    return [answers[rule.type, rule.column] for rule in rules]


def frame_of(rules: Sequence[Expectation], rows: pa.Table) -> pd.DataFrame:
    """Return the columns the rules speak of, as pandas holds them."""
    # A list can only be there or not, and Great Expectations spends seconds on copies of nested values.
    columns = {}
    for name in sorted({rule.column for rule in rules}):
        column = rows.column(name)
        columns[name] = pc.if_else(pc.is_valid(column), 1, None) if pa.types.is_list(column.type) else column
    return pa.table(columns).to_pandas()
