"""The verb `forecast`: when open work is done and the budget spent, with intervals."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from deployments.cli.any_project import world_at
from deployments.cli.output import Json, print_json
from labelloop.forecast import dated, forecasts

_TABLES = {
    "tasks": ["unit_id", "overlap", "state", "pushed_at"],
    "annotations": ["annotation_id", "unit_id", "lead_time", "opinion_reason", "state", "created_at"],
    "batches": ["unit_id", "round"],
}


def forecast(spec: str, *, as_json: Json = False) -> None:
    """Foresee when the open tasks and another batch are answered and the round's budget is spent.

    Exit code 1 when nothing can be foreseen; each line then says why.

    Args:
        spec: Name of a labelling project, or the file of its spec.
        as_json: Print a list of objects: what, answers, hours and cost left, days with a 95 % interval, dates.
    """
    world = world_at(spec)
    tables = {name: world.table(name).read(columns=columns) for name, columns in _TABLES.items()}
    rows = [dated(row, world.now()) for row in forecasts(world.spec, tables, world.now())]
    if as_json:
        print_json(rows)
    else:
        _show(rows, world.spec.sampling.budget.currency)
    if all(row["days"] is None for row in rows):
        sys.exit(1)


def _show(rows: list[dict[str, Any]], currency: str) -> None:
    names = ("answers", "hours", currency, "days", "95 % interval", "date")
    table = Table(Column("until", no_wrap=True), *names, box=None, pad_edge=False)
    for row in rows:
        ends = "" if row["low"] is None else f"{row['low']} to {_or(row['high'], 'over 730')}"
        numbers = (_or(row["answers"]), _or(row["hours"], form=".1f"), _or(row["cost"], form=".2f"), _or(row["days"]))
        table.add_row(row["what"], *numbers, ends, row["date"] or "")
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(table)
    for row in rows:
        if row["reason"]:
            console.print(f"{row['what']}: {row['reason']}")


def _or(value: float | None, missing: str = "", form: str = ",") -> str:
    return missing if value is None else f"{value:{form}}"
