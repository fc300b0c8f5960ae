"""Sync as a decision: which objects of a listing are media, and what changed against the known references.

Reading the bucket and writing the lake is the stage's work. A source is a bucket and a prefix; each belongs to one
labelling project, since what a listing lacks counts as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from labelloop.errors import DecisionNeeded, InputError
from labelloop.media_type import could_be, type_by_ending
from labelloop.spec.media import Media
from labelloop.sql import session

UNUSABLE_KEY = "the key holds control characters or a path segment of dots; rename the object"
ZERO_BYTES = "the object has no bytes; upload it again or delete it"
TOO_LARGE = "the object is larger than media.max_bytes; shrink it or raise the limit"
NOT_THE_MEDIA = "the content is not the media its name promises; convert or delete the object"

# Label Studio's address parser drops control characters, and dot segments are resolved on the way: either would show
# another object than the one meant.
_UNUSABLE = r"[\x00-\x1f\x7f]|(^|/)\.\.?(/|$)"

_SCOPE = """
SELECT l.*, coalesce(l.version_id, l.etag || '-' || l.size) AS media_version,
       CASE WHEN regexp_matches(l.key, $unusable) THEN $unusable_key
            WHEN l.size = 0 THEN $zero_bytes
            WHEN l.size > $max_bytes THEN $too_large END AS refusal
FROM listing l
WHERE starts_with(l.key, $prefix)
  AND NOT (l.size = 0 AND ends_with(l.key, '/'))
  AND len(list_filter($include::VARCHAR[], lambda pattern: l.key[$below:] GLOB pattern)) > 0
  AND len(list_filter($exclude::VARCHAR[], lambda pattern: l.key[$below:] GLOB pattern)) = 0
ORDER BY l.key
"""

_COMPARE = """
SELECT coalesce(l.key, r.key) AS key, r.ref_id, l.media_version, l.etag, l.size, l.promised, r.state AS known_state,
       CASE WHEN r.ref_id IS NULL THEN 'added'
            WHEN r.state = 'restricted' THEN 'unchanged'
            WHEN l.key IS NULL THEN CASE r.state WHEN 'missing' THEN 'unchanged' ELSE 'missing' END
            WHEN r.state = 'missing' THEN 'reappeared'
            WHEN r.media_version <> l.media_version THEN 'changed'
            ELSE 'unchanged' END AS change
FROM listed l FULL JOIN known r ON l.key = r.key
ORDER BY key
"""

_ADMIT = """
SELECT c.* EXCLUDE change, t.media_type,
       CASE WHEN c.change IN ('missing', 'unchanged') OR t.key IS NOT NULL THEN c.change
            WHEN c.known_state = 'active' THEN 'missing' ELSE 'unchanged' END AS change
FROM changed c LEFT JOIN types t ON t.key = c.key
ORDER BY c.key
"""


def media_in_scope(listing: pa.Table, media: Media, kind: Literal["image", "text"]) -> pa.Table:
    """Return the listed objects that the spec means.

    Args:
        listing: `key, size, etag, version_id` of present objects.
        media: prefix, globs and limits of the spec; globs are matched below the prefix and `*` crosses `/`.
        kind: what the interface shows; objects whose ending promises something else are left out.

    Returns:
        The listing by key with `media_version`, `promised` (media type by ending, or null) and `refusal` (why the
        object cannot be used, or null). Folder markers are left out.
    """
    with session() as db:
        db.register("listing", listing)
        found = db.sql(_SCOPE, params=_scope_parameters(media)).to_arrow_table()
    promised = [type_by_ending(key) for key in found["key"].to_pylist()]
    meant = pa.array([could_be(kind, p) for p in promised], pa.bool_())
    return found.append_column("promised", pa.array(promised, pa.string())).filter(meant)


def changes(listed: pa.Table, references: pa.Table, media: Media) -> pa.Table:
    """Return every object or reference of the source with what happened to it.

    Args:
        listed: usable media, as `media_in_scope` gives it.
        references: rows of the contract `references`; those of other sources are ignored.
        media: the source.

    Returns:
        `key, ref_id, media_version, etag, size, promised, known_state, change`, by key; `change` is one of added,
        changed (media version), missing, reappeared, unchanged. A restricted reference never changes: an erasure
        works on it.
    """
    of_source = pc.and_(
        pc.equal(references["bucket"], media.bucket), pc.starts_with(references["key"], pattern=media.prefix)
    )
    with session() as db:
        db.register("listed", listed)
        db.register("known", references.filter(of_source))
        return db.sql(_COMPARE).to_arrow_table()


def admitted(changed: pa.Table, media_types: pa.Table) -> pa.Table:
    """Return the changes to carry out, once it is settled which arriving objects may come in.

    Args:
        changed: as `changes` gives it.
        media_types: `key, media_type` of every arriving object that is media and not suppressed.

    Returns:
        The table with `media_type`. An object that may not come in stays out; if it took the place of known media,
        that media counts as missing.
    """
    with session() as db:
        db.register("changed", changed)
        db.register("types", media_types)
        return db.sql(_ADMIT).to_arrow_table()


def check_source(
    listed: int, in_scope: int, changed: pa.Table, media: Media, *, accept_missing: bool = False
) -> None:
    """Pass if the listing looks like the source the lake knows.

    Args:
        listed: objects below the prefix.
        in_scope: of them, those that the spec means.
        changed: as `changes` gives it.
        media: the source, with the share of missing references that stops the run.
        accept_missing: a person has looked and wants them counted as missing.

    Raises:
        InputError: nothing is there and nothing is known: wrong prefix or empty bucket.
        DecisionNeeded: more references are missing than the limit: wrong prefix, lost rights, or a real loss.
    """
    known = pc.sum(pc.equal(changed["known_state"], "active")).as_py() or 0
    missing = pc.sum(pc.equal(changed["change"], "missing")).as_py() or 0
    if not in_scope and not changed.num_rows:
        what = (
            f"none of the {listed} objects below the prefix is media of this spec" if listed else "there is no object"
        )
        raise InputError(
            f"{what} in bucket {media.bucket!r} below prefix {media.prefix!r}",
            remedy="upload media, or mend media.bucket, media.prefix, media.include or interface.media",
        )
    if missing and missing / known > media.missing_share_limit and not accept_missing:
        raise DecisionNeeded(
            f"{missing} of {known} known objects are missing, above media.missing_share_limit "
            f"{media.missing_share_limit:g}; nothing was changed",
            remedy="mend bucket, prefix, globs or rights; if they are really gone, run sync with accept_missing=true",
            missing=missing,
            known=known,
        )


def updated_references(
    changed: pa.Table,
    references: pa.Table,
    *,
    bucket: str,
    subject_hmacs: dict[str, str],
    key_id: str,
    now: datetime,
    new_id: Callable[[], str],
) -> pa.Table:
    """Return the rows of `references` to write.

    Args:
        changed: as `admitted` gives it; unchanged rows are skipped.
        references: the present rows; subject, source and first sight of known ones are kept.
        bucket: the source's bucket.
        subject_hmacs: keyed digest of the subject of each key that names one.
        key_id: the key that made them.
        now: the time of the change.
        new_id: mints ref_ids, in the order of the keys.
    """
    wanted = changed.filter(pc.not_equal(changed["change"], "unchanged"))
    touched = references.filter(pc.is_in(references["ref_id"], value_set=wanted["ref_id"].combine_chunks()))
    known = {row["ref_id"]: row for row in touched.to_pylist()}
    rows = []
    for row in wanted.to_pylist():
        if row["change"] == "missing":
            rows.append({**known[row["ref_id"]], "state": "missing", "changed_at": now})
            continue
        subject = subject_hmacs.get(row["key"])
        before = known.get(row["ref_id"]) or _first_sight(row["key"], bucket, subject, key_id, now, new_id)
        seen = {name: row[name] for name in ("media_version", "etag", "size", "media_type")}
        rows.append({**before, **seen, "state": "active", "changed_at": now})
    return pa.Table.from_pylist(rows, schema=contract("references").schema)


def _first_sight(
    key: str, bucket: str, subject: str | None, key_id: str, now: datetime, new_id: Callable[[], str]
) -> dict[str, Any]:
    return {
        "ref_id": new_id(),
        "bucket": bucket,
        "key": key,
        "subject_hmac": subject,
        "source_hmac": None,
        "hmac_key_id": key_id if subject else None,
        "first_seen": now,
    }


def _scope_parameters(media: Media) -> dict[str, Any]:
    return {
        "prefix": media.prefix,
        "below": len(media.prefix) + 1,
        "include": list(media.include),
        "exclude": list(media.exclude),
        "max_bytes": media.max_bytes,
        "unusable": _UNUSABLE,
        "unusable_key": UNUSABLE_KEY,
        "zero_bytes": ZERO_BYTES,
        "too_large": TOO_LARGE,
    }
