"""The inbox: files of erasure requests in S3, each taken up exactly once, then destroyed with all its versions.

A file lies at `PROJECT/NAME` below the inbox; it becomes sealed requests, or a sealed refusal with its reasons.
The files as such are the part of `inbox_files.py`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from labelloop.erasure.decisions import received
from labelloop.erasure.document import read_requests
from labelloop.erasure.request import Identifiers, Request, due
from labelloop.errors import Conflict, ErasedError, InputError
from tasks.artifacts import progress
from tasks.clients.erasures import Erasures
from tasks.clients.refused_requests import RefusedFile, RefusedFiles
from tasks.clients.world import World
from tasks.erasure.inbox_files import File, files_in, ids_of, inbox_of, is_destroyed, version_of

_log = logging.getLogger(__name__)
_LARGEST = 64 * 2**20  # bytes; a file is read whole, and sealed whole if it is refused


def take_up_inbox(world: World) -> dict[str, int]:
    """Turn every file of the inbox into requests or a refusal, destroy it, and return what became of them.

    Call it after the suppression keys were recognised, since the ids of requests are made with them. A file that is
    too large or cannot be destroyed stays, is counted as `left`, and is never taken up twice.
    """
    files, (bucket, prefix) = files_in(world), inbox_of(world)
    counts = Counter({"requests": 0, "refused": 0, "left": 0})
    for key in [key for key in world.media.keys_ever(bucket, prefix) if not key.endswith("/")]:
        versions = world.media.versions(bucket, key)
        file = files.get(key)
        if file and file["version_id"] and file["version_id"] not in [v.version_id for v in versions if v.is_latest]:
            continue  # overwritten since it was listed: the next run reads the newer one
        folder = key.removeprefix(prefix).rpartition("/")[0]
        settled = _take_up(world, file, folder, counts) if file else True
        if not (settled and is_destroyed(world, key, [v.version_id for v in versions])):
            counts["left"] += 1
    if counts.total():
        _log.info("inbox: %s", ", ".join(f"{what} {number}" for what, number in counts.items()))
    return dict(counts)


def _take_up(world: World, file: File, folder: str, counts: Counter[str]) -> bool:
    """Record what the file asks, or why it was refused; return whether nothing is lost when it is destroyed."""
    if file["size"] > _LARGEST:
        problem = InputError("the file is larger than 64 MiB and was left in the inbox", remedy="send it in parts")
        counts["refused"] += _refuse(world, file, None, problem)
        return False
    try:
        content = world.media.read(inbox_of(world)[0], file["key"], version_id=file["version_id"])
    except ErasedError:
        return True  # a run beside this one has taken it up
    try:
        project = _project_of(world, folder)
        wanted = read_requests(_text(content), now=world.now())
    except InputError as problem:
        counts["refused"] += _refuse(world, file, content, problem)
        return True
    counts["requests"] += _record(world, file, project, wanted)
    return True


def _project_of(world: World, folder: str) -> str:
    projects = sorted(neighbour.project for neighbour in world.neighbours())
    if not folder and len(projects) == 1:
        return projects[0]
    if folder not in projects:
        raise InputError("the file lies in no labelling project's folder", remedy=f"one of {', '.join(projects)}")
    return folder


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InputError("the file is no UTF-8 text", remedy="save it as UTF-8") from None


def _record(world: World, file: File, project: str, wanted: Sequence[Identifiers]) -> int:
    """Record the requests that are not yet, and return how many were new."""
    erasures, document, new = Erasures(world.hot, world.vault), _ids(world, file, "document")[0], 0
    with progress(len(wanted), "recording erasure requests") as bar:
        for number, one in enumerate(wanted):
            ids = _ids(world, file, str(number))
            if not any(map(erasures.is_known, ids)):
                record = received(
                    one,
                    request_id=ids[0],
                    project=project,
                    now=_uploaded_at(world, file),
                    document=document,
                    together=len(wanted),
                    in_inbox=True,
                )
                new += _added(erasures, record, one)
            bar.advance()
    return new


def _added(erasures: Erasures, record: Request, wanted: Identifiers) -> bool:
    try:
        erasures.add(record, wanted)
    except Conflict:
        return False  # another run recorded it at this moment
    return True


def _refuse(world: World, file: File, content: bytes | None, problem: InputError) -> bool:
    """Keep the file sealed with its problems, once, and return whether it was new."""
    refused, ids = RefusedFiles(world.hot, world.vault), _ids(world, file, "refused")
    if any(map(refused.is_known, ids)):
        return False
    moment = _uploaded_at(world, file)
    refused.add(RefusedFile(file_id=ids[0], reason=str(problem), received_at=moment, due_at=due(moment)), content)
    return True


def _ids(world: World, file: File, part: str) -> list[str]:
    return ids_of(world, file["key"], version_of(file), part)


def _uploaded_at(world: World, file: File) -> datetime:
    return min(file["last_modified"], world.now())
