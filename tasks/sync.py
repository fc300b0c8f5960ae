"""Sync: bring the references up to date with the bucket; Label Studio's own storage sync is never used."""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator

import pyarrow as pa
from prefect import task

from labelloop.contracts import Refusal
from labelloop.source_checks import check_not_empty, check_share
from labelloop.sql import workspace
from labelloop.summary import Summary
from labelloop.sync import COMPARED, Diff
from tasks.arrivals import admit_arriving, refusal
from tasks.artifacts import publish_table
from tasks.clients.lease import Lease
from tasks.clients.quarantine import quarantine
from tasks.clients.sources import listing
from tasks.clients.world import World
from tasks.contracts import commit, commit_new
from tasks.moves import confirm_moves
from tasks.policies import OUTSIDE
from tasks.stage import finish, stage
from tasks.suppression import suppressions_in_force

_log = logging.getLogger(__name__)
_PART = 100_000  # objects taken in at once
_TOGETHER = 250_000  # rows judged and written at once; more new ones are streamed into one commit
_MEMORY_MIB = 2_000  # ten million objects fit; what is beyond goes to a temporary folder
_ALTERING = {"added", "changed", "missing", "reappeared"}
_KINDS = ("added", "changed", "missing", "reappeared", "moved", "unchanged")


@task(name="sync", description="Find what is new, changed or missing in the bucket", **OUTSIDE)
def sync(project: str, accept_missing: bool = False, accept_changed: bool = False) -> dict[str, object]:
    """Bring the references of a project's source up to date."""
    with stage(project, "sync") as (world, lease):
        done = sync_references(world, lease, accept_missing=accept_missing, accept_changed=accept_changed)
        return finish(done)


def sync_references(
    world: World, lease: Lease, *, accept_missing: bool = False, accept_changed: bool = False
) -> Summary:
    """Compare the bucket with the references and write what differs.

    Args:
        world: the project's outside.
        lease: held on (project, sync).
        accept_missing: a person has looked: however many objects are missing, they are really gone.
        accept_changed: a person has looked: however many objects changed, the media was really replaced.

    Raises:
        SuppressionKeyError: the suppression keys cannot be verified.
        InputError: no such bucket, or nothing in it for this project.
        DecisionNeeded: more is missing or changed than the spec allows.
    """
    in_force, counts = suppressions_in_force(world), Counter[str]()
    # The folder is readable by this user only and holds object keys: it goes with the run.
    with tempfile.TemporaryDirectory(prefix="labelloop-sync-") as folder, workspace(folder, _MEMORY_MIB) as db:
        diff = _compared(world, Diff(db, world.spec))
        limits = {"accept_missing": accept_missing, "accept_changed": accept_changed}
        counts += diff.counts()
        _check(diff, counts, world, probably_moved=diff.probably_moved(), **limits)
        counts["refused"] += _kept(world, lease, admit_arriving(world, diff, in_force, counts))
        if counts.keys() & _ALTERING:
            diff.settle(world.table("references").batches())
            confirm_moves(world, diff)
            _check(diff, diff.counts(), world, **limits)
            counts["refused"] += _write(world, lease, diff)
        counts["refused"] += _kept(world, lease, (refusal(world, *found) for found in diff.refused()))
        told = {kind: diff.counts()[kind] for kind in _KINDS} | {k: counts[k] for k in ("refused", "suppressed")}
    publish_table("sync", [told], "What the bucket holds against what was known")
    return Summary(stage="sync", counts=told)


def _compared(world: World, diff: Diff) -> Diff:
    for part in _gathered((pa.Table.from_batches([batch]) for batch in listing(world)), _PART):
        diff.take(part)
        _log.info("listed %d objects", diff.listed)
    diff.compare(world.table("references").batches(columns=COMPARED))
    check_not_empty(diff.listed, diff.in_scope, diff.known.total(), world.spec.media)
    return diff


def _check(
    diff: Diff,
    counts: Counter[str],
    world: World,
    *,
    accept_missing: bool,
    accept_changed: bool,
    probably_moved: int = 0,
) -> None:
    """Stop while nothing is written; before any object is read, what has probably moved gets the benefit of doubt."""
    known, media = diff.known["active"], world.spec.media
    check_share("missing", counts["missing"] - probably_moved, known, media, accepted=accept_missing)
    check_share("changed", counts["changed"], known, media, accepted=accept_changed)


def _write(world: World, lease: Lease, diff: Diff) -> int:
    """Write what differs and return how many rows were refused."""
    now, refused = world.now(), 0
    added = diff.added(now=now, new_id=world.new_id)
    if diff.counts()["added"] > _TOGETHER:
        refused, added = commit_new(world, lease, "references", added, stage="sync"), iter(())
    for rows in _gathered(itertools.chain(added, diff.altered(now=now)), _TOGETHER):
        # Each was compared before, and says when it changed.
        refused += commit(world, lease, "references", rows, stage="sync", compare=False)
    return refused


def _gathered(parts: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Yield the parts put together until they have at least so many rows."""
    held: list[pa.Table] = []
    for part in parts:
        held.append(part)
        if sum(one.num_rows for one in held) >= rows:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _kept(world: World, lease: Lease, refusals: Iterator[Refusal]) -> int:
    """Put refused objects into quarantine, some at a time, and return how many there are."""
    total = 0
    while found := list(itertools.islice(refusals, _PART)):
        quarantine(world, lease, found, stage="sync")
        total += len(found)
    return total
