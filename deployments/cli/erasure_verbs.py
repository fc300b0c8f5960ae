"""The verbs of erasure: ask, look, carry out, check. What people decide stands in `erasure_decision_verbs.py`.

Identifiers come from a file or standard input, never as arguments, which shells and process lists keep.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.progress import track
from rich.table import Table

from deployments.cli.any_project import world_of
from deployments.cli.flow_verbs import carry_out
from deployments.cli.output import Json, print_json
from labelloop.erasure.decisions import officer, received
from labelloop.erasure.document import read_requests
from labelloop.erasure.request import Request
from labelloop.errors import InputError, LabelloopError
from tasks.clients.erasures import Erasures
from tasks.clients.refused_requests import RefusedFile, RefusedFiles
from tasks.clients.world import World

ProjectName = Annotated[str | None, Parameter(help="Labelling project; may be left out if there is only one.")]
_WORTH_A_BAR = 50  # requests; recording one takes some tens of milliseconds


def request(project: ProjectName = None, *, file: str = "-", as_json: Json = False) -> None:
    """Record every erasure request of a document and print their opaque ids.

    Args:
        project: labelling project whose bucket the object keys and prefixes lie in.
        file: JSON, JSON Lines or CSV, as docs/erasure.md shows; `-` reads standard input.
        as_json: print ids and deadlines as JSON.
    """
    world = world_of(project)
    wanted = read_requests(_text(file), now=world.now())
    name, document = world.settings.officer, world.new_id()
    by = officer(name, world.keys).pseudonym if name else None
    recorded = []
    for one in _shown(wanted):
        record = received(
            one,
            request_id=world.new_id(),
            project=world.project,
            now=world.now(),
            document=document,
            together=len(wanted),
            requested_by=by,
        )
        _erasures(world).add(record, one)
        recorded.append(record)
    _announce(recorded[0].request_id)
    _print_recorded(recorded, document, as_json=as_json)


def status(project: ProjectName = None, *, as_json: Json = False) -> None:
    """List every erasure request with its state, its deadline and how much of the time is used up.

    Args:
        project: any labelling project of the lake.
        as_json: print JSON.
    """
    world = world_of(project)
    rows = [_told(found, world) for found in _erasures(world).all()]
    rows += [_told_refused(found, world) for found in RefusedFiles(world.hot, world.vault).all()]
    if as_json:
        print_json(rows)
        return
    table = Table("request", "project", "state", "due", "time used", "reason", box=None)
    for row in rows:
        table.add_row(
            *(str(row[name]) for name in ("request_id", "project", "state")), *_deadline(row), row["reason"]
        )
    Console(soft_wrap=True, highlight=False).print(table if rows else "no erasure was ever asked for")


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
    unfinished = [found for found in _erasures(world).all() if not (found.is_finished or found.state == "purging")]
    left = [f"{found.request_id} is {found.state}: {found.reason}" for found in unfinished]
    left += [f"{found.file_id} is refused: {found.reason}" for found in RefusedFiles(world.hot, world.vault).all()]
    for line in left:
        sys.stderr.write(f"{line}\n")
    if left:
        sys.exit(1)


def replay(project: ProjectName = None, *, as_json: Json = False) -> None:
    """Erase again whatever is suppressed and back, in the whole lake: to be run after any backup was restored.

    Args:
        project: any labelling project of the lake.
        as_json: print JSON.
    """
    from flows.single_stages import replay_erasures

    carry_out(replay_erasures, {"project": world_of(project).project}, as_json=as_json)


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


def _shown(wanted: list[Any]) -> Iterable[Any]:
    console = Console(stderr=True)
    return track(wanted, "recording requests", console=console, disable=len(wanted) < _WORTH_A_BAR)


def _print_recorded(recorded: list[Request], document: str, *, as_json: bool) -> None:
    if not as_json:
        sys.stdout.writelines(f"{record.request_id}\n" for record in recorded)
        return
    told = [{"request_id": record.request_id, "due_at": record.due_at.isoformat()} for record in recorded]
    print_json({**told[0], "document": document, "requests": told})


def _told(found: Request, world: World) -> dict[str, Any]:
    shown = found.model_dump(mode="json", exclude={"payload"})
    return shown | {"overdue": found.is_overdue(world.now()), "warning": found.warning(world.now())}


def _told_refused(found: RefusedFile, world: World) -> dict[str, Any]:
    late = world.now() > found.due_at
    shown = found.model_dump(mode="json", include={"reason", "received_at", "due_at"})
    told = {"request_id": found.file_id, "project": "", "state": "refused", "overdue": late}
    return {**told, "warning": "overdue" if late else "", **shown}


def _deadline(row: dict[str, Any]) -> tuple[str, str]:
    return row["due_at"][:10], row["warning"]
