"""The verbs `plan` and `apply`: what would change in Label Studio, and the doing of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Column, Table

from deployments.cli.flow_verbs import carry_out
from deployments.cli.output import Json, print_json
from labelloop.errors import InputError

Flag = Annotated[bool, Parameter(negative="")]


def plan(spec: str, *, full: Flag = False, check: Flag = False, as_json: Json = False) -> None:
    """Show what `apply` would change in Label Studio, and change nothing.

    Exit code 1 if the interface would lose answers, which `apply` refuses.

    Args:
        spec: File of a spec, or name of a project in the folder of specs.
        full: Read every task, not only what changed since the last push.
        check: Exit code 1 if anything would change.
        as_json: Print JSON.
    """
    project = _project(spec)
    from deployments.prefect_api import prefect_errors
    from flows.reconcile import plan_changes

    with prefect_errors():
        (found,) = plan_changes(project=project, full=full)
    if as_json:
        print_json(found)
    else:
        _show(found)
    if found["lost"] or (check and found["changes"]):
        sys.exit(1)


def apply(spec: str, *, full: Flag = False, as_json: Json = False) -> None:
    """Do what `plan` shows: project, settings, interface, views, tasks, predictions.

    Exit code 1 if the interface would lose answers; nothing is changed then.

    Args:
        spec: File of a spec, or name of a project in the folder of specs.
        full: Read every task, not only what changed since the last push.
        as_json: Print JSON.
    """
    project = _project(spec)
    from flows.reconcile import apply_changes

    carry_out(apply_changes, {"project": project, "full": full}, as_json=as_json)


def _project(spec: str) -> str:
    """Return the project of a spec; the folder of its file is the folder of specs from now on."""
    path = Path(spec)
    if not path.suffix:
        return spec
    if not path.is_file() or path.suffix != ".yaml":
        raise InputError(f"{spec} is no spec", remedy="name a file that ends in .yaml, or a project")
    os.environ["LABELLOOP_PROJECTS_DIR"] = str(path.parent)
    return path.stem


def _show(found: dict[str, Any]) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    table = Table("change", Column("count", justify="right"), "for instance", box=None)
    for row in found["changes"]:
        table.add_row(row["change"], f"{row['count']:,}", ", ".join(row["sample"]))
    console.print(table if found["changes"] else f"{found['project']}: nothing to change")
    for line in found["notes"]:
        console.print(line)
