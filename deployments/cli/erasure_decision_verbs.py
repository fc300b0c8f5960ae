"""The verbs with which people decide about erasure requests: approve, extend, lift, take back.

They take opaque ids; who decides is a name or role, of which a pseudonym is recorded.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from deployments.cli.any_project import world_of
from deployments.cli.erasure_verbs import ProjectName
from deployments.cli.flow_verbs import carry_out
from deployments.cli.output import Json, print_json
from labelloop.erasure.decisions import (
    ExtensionReason,
    LiftReason,
    Officer,
    SharedContent,
    approved,
    decided_on_content,
    extended,
    officer,
)
from labelloop.erasure.request import Request
from labelloop.errors import InputError
from tasks.clients.erasures import Erasures
from tasks.clients.refused_requests import RefusedFiles
from tasks.clients.suppression_keys import recognised
from tasks.clients.world import World

RequestName = Annotated[str, Parameter(help="Id of a request or of a whole document, as `erase status` shows it.")]
OfficerName = Annotated[
    str | None, Parameter(name="--officer", help="Name or role of who decides; else LABELLOOP_OFFICER.")
]


def approve(
    request_id: RequestName,
    project: ProjectName = None,
    *,
    by: OfficerName = None,
    shared_content: Annotated[
        SharedContent | None,
        Parameter(help="Decide instead about bytes that another subject holds too: suppress them, or leave them."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Stand behind a request that is larger than the limit, as a second person than who asked."""
    world = world_of(project)
    who, now = _officer(world, by), world.now()
    if shared_content:
        _decide(world, request_id, lambda r: decided_on_content(r, who, shared_content, now=now), as_json=as_json)
    else:
        _decide(world, request_id, lambda r: approved(r, who, now=now), as_json=as_json)


def extend(
    request_id: RequestName,
    project: ProjectName = None,
    *,
    reason: Annotated[ExtensionReason, Parameter(help="Complexity or number of the requests.")],
    months: Annotated[Literal[1, 2], Parameter(help="How many more.")] = 2,
    by: OfficerName = None,
    as_json: Json = False,
) -> None:
    """Move a deadline once, before it passes; the person must be told within the first month."""
    world = world_of(project)
    who, now = _officer(world, by), world.now()
    _decide(world, request_id, lambda r: extended(r, who, months=months, reason=reason, now=now), as_json=as_json)


def lift(
    request_id: RequestName,
    project: ProjectName = None,
    *,
    reason: Annotated[LiftReason, Parameter(help="It was a mistake, or the person consents again.")],
    by: OfficerName = None,
    as_json: Json = False,
) -> None:
    """End the suppression of a request; what is erased stays erased, what comes again is admitted as new."""
    from flows.single_stages import lift_erasures

    world = world_of(project)
    parameters = {"project": world.project, "request": request_id, "reason": reason}
    carry_out(lift_erasures, {**parameters, "officer": _officer(world, by).pseudonym}, as_json=as_json)


def take_back(file_id: str, project: ProjectName = None, *, out: Path, as_json: Json = False) -> None:
    """Write a refused request file out to be mended, and forget it here.

    Args:
        file_id: as `erase status` shows it.
        project: any labelling project of the lake.
        out: a file that does not exist yet; only its owner can read it.
        as_json: print JSON.
    """
    world = world_of(project)
    refused = RefusedFiles(world.hot, world.vault)
    content = refused.content(file_id)
    if content is None:
        sys.stderr.write("the file was too large to be kept; it still lies in the inbox, take it from there\n")
    else:
        _write_new(out, content)
    refused.forget(file_id)
    if as_json:
        print_json({"file_id": file_id, "bytes": len(content or b"")})


def _write_new(out: Path, content: bytes) -> None:
    try:
        with open(out, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(content)
    except OSError as error:
        raise InputError(
            f"the file cannot be written ({(error.strerror or type(error).__name__).lower()})",
            remedy="name a new file in a folder you can write to",
        ) from None


def _officer(world: World, name: str | None) -> Officer:
    # Under a wrong key the same person would look like another.
    recognised(world.hot, world.keys, (), lake_in_use=False)
    return officer(name or world.settings.officer or "", world.keys)


def _decide(world: World, name: str, decision: Callable[[Request], Request], *, as_json: bool) -> None:
    """Apply the decision to the request or to each of the document, once it fits them all."""
    erasures = Erasures(world.hot, world.vault)
    found = erasures.of(name)
    for request in found:
        decision(request)
    decided = [_shown(erasures.decide(request.request_id, decision)) for request in found]
    if as_json:
        print_json(decided)
        return
    for row in decided:
        sys.stdout.write(f"{row['request_id']}  {row['state']}  due {row['due_at'][:10]}\n")


def _shown(request: Request) -> dict[str, Any]:
    return request.model_dump(mode="json", exclude={"payload"})
