"""The questions that a comparison of listing and references asks of its workspace; see `sync.py`."""

from __future__ import annotations

LISTED = """
CREATE TABLE listed (key VARCHAR, size BIGINT, etag VARCHAR, version_id VARCHAR, promised VARCHAR, subject VARCHAR,
                     source VARCHAR, refusal VARCHAR)
"""

REFUSED = "CREATE TABLE refused AS SELECT key, refusal FROM listed WHERE refusal IS NOT NULL"

# `version` is what the bucket calls the bytes, `mark` is etag and size. When a bucket begins or ceases to keep
# versions, or an inventory leaves them out, the form of the version changes and the bytes do not: then the marks are
# compared, which is all that an unversioned bucket ever had. A known mark is null where it is the version itself.
CHANGES = """
CREATE TABLE changes AS
WITH l AS (SELECT *, etag || '-' || size AS mark FROM listed WHERE refusal IS NULL),
     r AS (SELECT ref_id::UUID AS ref_id, key, state, coalesce(object_version, media_version) AS version,
                  nullif(etag || '-' || size, coalesce(object_version, media_version)) AS mark FROM known),
     compared AS (
       SELECT coalesce(l.key, r.key) AS key, r.ref_id, r.state AS known_state, l.size, l.etag,
              coalesce(l.version_id, l.mark) AS version, coalesce(l.mark, r.mark, r.version) AS mark, l.promised,
              l.subject, l.source,
              CASE WHEN (r.mark IS NULL) = (l.version_id IS NULL) THEN r.version = coalesce(l.version_id, l.mark)
                   ELSE coalesce(r.mark, r.version) = l.mark END AS same,
              CASE WHEN r.ref_id IS NULL THEN 'added'
                   WHEN r.state = 'restricted' THEN 'unchanged'
                   WHEN l.key IS NULL THEN if(r.state = 'missing', 'away', 'missing')
                   WHEN r.state = 'missing' THEN 'reappeared'
                   WHEN same THEN 'unchanged' ELSE 'changed' END AS change
       FROM l FULL JOIN r ON l.key = r.key)
SELECT * FROM compared WHERE change <> 'unchanged'
"""

PROBABLY_MOVED = """
SELECT count(*) FROM (FROM changes WHERE change = 'missing') g SEMI JOIN (FROM changes WHERE change = 'added') a
                 ON g.mark = a.mark
"""

ARRIVING = """
SELECT key, size, promised, subject, source
FROM changes WHERE change IN ('added', 'changed', 'reappeared') ORDER BY key
"""

# Known media whose place was taken by something that may not come in is missing; something new stays out.
SETTLE = """
UPDATE changes SET change = if(known_state = 'active', 'missing', 'kept out')
WHERE change IN ('added', 'changed', 'reappeared') AND key NOT IN (SELECT key FROM admitted)
"""

TOUCHED_IDS = "SELECT replace(ref_id::VARCHAR, '-', '') AS ref_id FROM changes WHERE ref_id IS NOT NULL"

TOUCHED = """
CREATE TABLE touched AS
SELECT k.* FROM known k SEMI JOIN (SELECT ref_id FROM changes WHERE ref_id IS NOT NULL) c ON k.ref_id::UUID = c.ref_id
"""

GONE = """
SELECT k.ref_id, k.key, k.size, coalesce(k.object_version, k.media_version) AS version, k.subject_hmac,
       k.source_hmac, k.content_hmac, k.content_key_id,
       coalesce(k.object_version, k.media_version) <> k.etag || '-' || k.size AS has_version_id
FROM touched k JOIN changes c ON c.ref_id = k.ref_id::UUID
WHERE c.change IN ('missing', 'away') AND k.size IN (SELECT size FROM changes WHERE change = 'added')
ORDER BY k.key
"""

ARRIVED = """
SELECT key, size, subject_hmac, source_hmac
FROM changes JOIN admitted USING (key) WHERE change = 'added' AND size IN (SELECT size FROM sizes) ORDER BY key
"""

MOVE = (
    "DELETE FROM changes c USING moves m WHERE c.ref_id = m.ref_id::UUID AND c.change IN ('missing', 'away')",
    "UPDATE changes SET change = 'moved', ref_id = m.ref_id::UUID FROM moves m WHERE changes.key = m.key",
)

ADDED = """
SELECT key, size, etag, version AS media_version, media_type, subject_hmac, source_hmac, hmac_key_id, content_hmac,
       content_key_id
FROM changes JOIN admitted USING (key) WHERE change = 'added' ORDER BY key
"""

# Subject, source and first sight stay whatever happens to the object, and a moved one keeps its media version: the
# bytes are those that its labels speak of. An erasure that has begun since the comparison wins.
ALTERED = """
SELECT k.* REPLACE (
         c.key AS key,
         if(c.change IN ('missing', 'moved') OR c.same, k.media_version, c.version) AS media_version,
         CASE WHEN c.change = 'moved' THEN c.version
              WHEN c.change = 'missing' OR c.same THEN k.object_version END AS object_version,
         if(c.change = 'moved', list_append(coalesce(k.former_keys, []), k.key), k.former_keys) AS former_keys,
         if(c.change = 'missing', k.etag, c.etag) AS etag,
         if(c.change = 'missing', k.size, c.size) AS size,
         if(c.change = 'missing', k.media_type, a.media_type) AS media_type,
         CASE WHEN c.change IN ('missing', 'moved') OR c.same THEN coalesce(a.content_hmac, k.content_hmac)
              ELSE a.content_hmac END AS content_hmac,
         CASE WHEN c.change IN ('missing', 'moved') OR c.same THEN coalesce(a.content_key_id, k.content_key_id)
              ELSE a.content_key_id END AS content_key_id,
         if(c.change = 'missing', 'missing', 'active') AS state,
         $now AS changed_at)
FROM touched k JOIN changes c ON c.ref_id = k.ref_id::UUID LEFT JOIN admitted a ON a.key = c.key
WHERE c.change IN ('changed', 'missing', 'reappeared', 'moved') AND k.state <> 'restricted'
ORDER BY k.ref_id
"""
