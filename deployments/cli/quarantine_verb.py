"""The verb `quarantine`: the rows a project refused, by the rule they broke, and on demand which ones."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Column, Table

from deployments.cli.output import Json, print_json
from tasks.clients.quarantine import payloads
from tasks.clients.world import World, open_world


def quarantine(
    project: str, *, reveal: Annotated[bool, Parameter(negative="")] = False, as_json: Json = False
) -> None:
    """Show what was refused and what to do about it; a row is kept for 30 days.

    Args:
        project: Labelling project.
        reveal: Show each row with what it held, which may name persons, instead of counts.
        as_json: Print JSON.
    """
    world = open_world(project)
    rows = _each(world) if reveal else _counted(world)
    if as_json:
        print_json(rows)
        return
    names = ("stage", "table", "rule", "held" if reveal else "rows")
    table = Table(*(Column(name, overflow="fold") for name in names), box=None)
    for row in rows:
        table.add_row(*(str(row[name]) for name in names))
    Console(soft_wrap=True, highlight=False, markup=False).print(table if rows else "nothing is refused")


def _counted(world: World) -> list[dict[str, Any]]:
    rows = world.table("quarantine").read(columns=["stage", "contract", "rule"]).to_pylist()
    counts = Counter((row["stage"], row["contract"], row["rule"]) for row in rows)
    return [{"stage": s, "table": t, "rule": r, "rows": n} for (s, t, r), n in sorted(counts.items())]


def _each(world: World) -> list[dict[str, Any]]:
    """Every row with what it held; of a reference that is still there, also where it lies."""
    held, references = dict(payloads(world)), world.table("references").read(columns=["ref_id", "bucket", "key"])
    places = {row["ref_id"]: row for row in references.to_pylist()}
    rows = world.table("quarantine").read(columns=["row_id", "stage", "contract", "rule"]).to_pylist()
    return [
        {
            "stage": row["stage"],
            "table": row["contract"],
            "rule": row["rule"],
            "held": held[row["row_id"]] | places.get(held[row["row_id"]].get("ref_id"), {}),
        }
        for row in rows
        if row["row_id"] in held
    ]
