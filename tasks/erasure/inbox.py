"""The inbox: files of erasure requests in S3, each taken up exactly once, then destroyed with all its versions.

A file lies at `PROJECT/NAME` below the inbox; it becomes sealed requests, or a sealed refusal with its reasons.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from labelloop.erasure.decisions import received
from labelloop.erasure.document import read_requests
from labelloop.erasure.request import Identifiers, due
from labelloop.errors import Conflict, ErasedError, InputError
from tasks.artifacts import progress
from tasks.clients.erasures import Erasures
from tasks.clients.refused_requests import RefusedFile, RefusedFiles
from tasks.clients.s3 import split_uri
from tasks.clients.world import World

_log = logging.getLogger(__name__)
_LARGEST = 64 * 2**20  # bytes; a file is read whole, and sealed whole if it is refused
_ATTEMPTS = 3
_File = dict[str, Any]  # a row of the listing


def take_up_inbox(world: World) -> dict[str, int]:
    """Turn every file of the inbox into requests or a refusal, destroy it, and return what became of them.

    Call it after the suppression keys were recognised, since the ids of requests are made with them. A file that is
    too large or cannot be destroyed stays, is counted as `left`, and is never taken up twice.
    """
    bucket, prefix = _place(world)
    files = {row["key"]: row for batch in world.media.list(bucket, prefix) for row in batch.to_pylist()}
    counts = Counter({"requests": 0, "refused": 0, "left": 0})
    for key in [key for key in world.media.keys_ever(bucket, prefix) if not key.endswith("/")]:
        versions = world.media.versions(bucket, key)
        file = files.get(key)
        if file and file["version_id"] and file["version_id"] not in [v.version_id for v in versions if v.is_latest]:
            continue  # overwritten since it was listed: the next run reads the newer one
        folder = key.removeprefix(prefix).rpartition("/")[0]
        settled = _take_up(world, bucket, file, folder, counts) if file else True
        if not (settled and _is_destroyed(world, bucket, key, [v.version_id for v in versions])):
            counts["left"] += 1
    if counts.total():
        _log.info("inbox: %s", ", ".join(f"{what} {number}" for what, number in counts.items()))
    return dict(counts)


def _place(world: World) -> tuple[str, str]:
    settings = world.settings
    uri = settings.erasure_inbox_uri or f"{settings.lake_uri.rstrip('/')}/inbox/erasure"
    bucket, prefix = split_uri(uri)
    return bucket, f"{prefix.rstrip('/')}/" if prefix else ""


def _take_up(world: World, bucket: str, file: _File, folder: str, counts: Counter[str]) -> bool:
    """Record what the file asks, or why it was refused; return whether nothing is lost when it is destroyed."""
    if file["size"] > _LARGEST:
        problem = InputError("the file is larger than 64 MiB and was left in the inbox", remedy="send it in parts")
        counts["refused"] += _refuse(world, bucket, file, None, problem)
        return False
    try:
        content = world.media.read(bucket, file["key"], version_id=file["version_id"])
    except ErasedError:
        return True  # a run beside this one has taken it up
    try:
        project = _project_of(world, folder)
        wanted = read_requests(_text(content), now=world.now())
    except InputError as problem:
        counts["refused"] += _refuse(world, bucket, file, content, problem)
        return True
    counts["requests"] += _record(world, bucket, file, project, wanted)
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


def _record(world: World, bucket: str, file: _File, project: str, wanted: Sequence[Identifiers]) -> int:
    """Record the requests that are not yet, and return how many were new."""
    erasures, document, new = Erasures(world.hot, world.vault), _ids(world, bucket, file, "document")[0], 0
    with progress(len(wanted), "recording erasure requests") as bar:
        for number, one in enumerate(wanted):
            ids = _ids(world, bucket, file, str(number))
            if not any(map(erasures.is_known, ids)):
                record = received(
                    one,
                    request_id=ids[0],
                    project=project,
                    now=_uploaded_at(world, file),
                    document=document,
                    together=len(wanted),
                )
                new += _added(erasures, record, one)
            bar.advance()
    return new


def _added(erasures: Erasures, record: Any, wanted: Identifiers) -> bool:
    try:
        erasures.add(record, wanted)
    except Conflict:
        return False  # another run recorded it at this moment
    return True


def _refuse(world: World, bucket: str, file: _File, content: bytes | None, problem: InputError) -> bool:
    """Keep the file sealed with its problems, once, and return whether it was new."""
    refused, ids = RefusedFiles(world.hot, world.vault), _ids(world, bucket, file, "refused")
    if any(map(refused.is_known, ids)):
        return False
    moment = _uploaded_at(world, file)
    refused.add(RefusedFile(file_id=ids[0], reason=str(problem), received_at=moment, due_at=due(moment)), content)
    return True


def _ids(world: World, bucket: str, file: _File, part: str) -> list[str]:
    """Return the id of a part of the file under every key, the current one's first: a rotation makes no new file.

    A later upload of the same name is another file, even with the same bytes: it asks again.
    """
    version = file["version_id"] or file["etag"]
    name = "\0".join([bucket, file["key"], version, file["last_modified"].isoformat(), part])
    key_ids = sorted(world.keys.key_ids, key=lambda key_id: key_id != world.keys.current)
    return [world.keys.digest("inbox", name, key_id=key_id)[:32] for key_id in key_ids]


def _uploaded_at(world: World, file: _File) -> Any:
    return min(file["last_modified"], world.now())


def _is_destroyed(world: World, bucket: str, key: str, version_ids: Sequence[str]) -> bool:
    """Delete these versions of the file and return whether a new listing shows none of them."""
    for _ in range(_ATTEMPTS):
        there = {version.version_id for version in world.media.versions(bucket, key)}.intersection(version_ids)
        if not there:
            return True
        world.media.delete_versions(bucket, key, sorted(there))
    return False
