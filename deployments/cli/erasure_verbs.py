"""The verbs of erasure: ask, look, carry out, check.

Identifiers come from a file or standard input, never as arguments, which shells and process lists keep.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from deployments.cli.any_project import world_of
from deployments.cli.flow_verbs import carry_out
from deployments.cli.output import Json, print_json
from labelloop.erasure.request import Request, due, read_request
from labelloop.errors import InputError, LabelloopError
from tasks.clients.erasures import Erasures
from tasks.clients.world import World

ProjectName = Annotated[str | None, Parameter(help="Labelling project; may be left out if there is only one.")]


def request(project: ProjectName = None, *, file: str = "-", as_json: Json = False) -> None:
    """Record an erasure request and print its opaque id.

    Args:
        project: labelling project whose bucket the object keys and prefixes lie in.
        file: JSON with object_keys, prefixes, subjects (lists) and verification (how the person was identified);
            `-` reads standard input.
        as_json: print id and deadline as JSON.
    """
    wanted = read_request(_text(file))
    world = world_of(project)
    moment = world.now()
    record = Request(request_id=world.new_id(), project=world.project, received_at=moment, due_at=due(moment))
    _erasures(world).add(record, wanted)
    _announce(record.request_id)
    if as_json:
        print_json({"request_id": record.request_id, "due_at": record.due_at.isoformat()})
    else:
        sys.stdout.write(f"{record.request_id}\n")


def status(project: ProjectName = None, *, as_json: Json = False) -> None:
    """List every erasure request with its state and deadline.

    Args:
        project: any labelling project of the lake.
        as_json: print JSON.
    """
    world = world_of(project)
    rows = [_told(found, world) for found in _erasures(world).all()]
    if as_json:
        print_json(rows)
        return
    table = Table("request", "project", "state", "due", "reason", box=None)
    for row in rows:
        state = "overdue" if row["overdue"] else row["state"]
        table.add_row(row["request_id"], row["project"], state, row["due_at"][:10], row["reason"])
    Console(soft_wrap=True, highlight=False).print(table if rows else "no erasure was ever asked for")


def approve(request_id: str, project: ProjectName = None) -> None:
    """Let a request that reaches more objects than the limit be carried out.

    Args:
        request_id: as `erase status` shows it.
        project: any labelling project of the lake.
    """
    _erasures(world_of(project)).change(request_id, approved=True)


def plan(project: ProjectName = None, *, as_json: Json = False) -> None:
    """Count what each open request would reach, place by place; nothing is changed.

    Args:
        project: any labelling project of the lake.
        as_json: print JSON.
    """
    from flows.single_stages import plan_erasures

    carry_out(plan_erasures, {"project": world_of(project).project}, as_json=as_json)


def run(project: ProjectName = None, *, as_json: Json = False) -> None:
    """Carry out every open request; exit code 1 if one has to wait for a person or a hold.

    Args:
        project: any labelling project of the lake.
        as_json: print JSON.
    """
    from flows.single_stages import erase

    world = world_of(project)
    carry_out(erase, {"project": world.project}, as_json=as_json)
    left = [found for found in _erasures(world).all() if found.state != "done"]
    for found in left:
        sys.stderr.write(f"{found.request_id} is {found.state}: {found.reason}\n")
    if left:
        sys.exit(1)


def verify(project: ProjectName = None, *, as_json: Json = False) -> None:
    """Check receipts and deadlines, and that nothing erased has come back; exit code 1 if something is wrong.

    Args:
        project: labelling project whose references and bucket are looked through.
        as_json: print JSON.
    """
    from flows.single_stages import audit_erasures

    carry_out(audit_erasures, {"project": world_of(project).project}, as_json=as_json)


def _announce(request_id: str) -> None:
    """Start a run where there is a Prefect server; the request stands even if it cannot be told."""
    from deployments.prefect_api import announce_erasure

    try:
        announce_erasure(request_id)
    except LabelloopError as error:
        sys.stderr.write(f"the request is recorded, but starts no run by itself: {error}\n")


def _erasures(world: World) -> Erasures:
    return Erasures(world.hot, world.vault)


def _text(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError("the file cannot be read as UTF-8 text", remedy="give an existing file") from None


def _told(found: Request, world: World) -> dict[str, Any]:
    shown = found.model_dump(mode="json", exclude={"payload"})
    return shown | {"overdue": found.is_overdue(world.now())}
