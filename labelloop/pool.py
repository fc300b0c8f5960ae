"""The pool a batch is chosen from: active references of a project with what the model says of them.

Which of them to choose is decided in `labelloop.sampling`.
"""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.sql import session

# A prediction of an older media version speaks of other bytes, hence the join on the version. `standing`, the mean
# place of the class, is the scale on which references are compared. Equal entity tags are no proof of equal bytes;
# here a mistake costs no more than one reference left for later.
_POOL = """
SELECT r.ref_id, r.media_version, m.probabilities, m.confidence, m.committee, m.boxes, m.spans,
       coalesce(m.embedding, f.embedding) AS embedding,
       m.predicted AS stratum,
       list_dot_product(m.probabilities, range(len(m.probabilities))::DOUBLE[]) AS standing,
       coalesce(r.subject_hmac, r.ref_id) AS "group", r.source_hmac AS source,
       coalesce(r.content_hmac, r.etag || '/' || r.size) AS digest, r.first_seen AS seen_at
FROM refs r
LEFT JOIN (SELECT * FROM predictions WHERE model_version = $model) m
       ON m.ref_id = r.ref_id AND m.media_version = r.media_version
LEFT JOIN (SELECT * FROM predictions WHERE embedding IS NOT NULL AND probabilities IS NULL
           QUALIFY row_number() OVER (PARTITION BY ref_id ORDER BY created_at DESC, model_version) = 1) f
       ON f.ref_id = r.ref_id AND f.media_version = r.media_version
WHERE r.state = 'active' AND r.bucket = $bucket AND starts_with(r.key, $prefix)
ORDER BY r.ref_id
"""

_ASKED = """
SELECT u.ref_id, u.media_version
FROM (SELECT unnest(ref_ids) AS ref_id, unnest(media_versions) AS media_version FROM units) u
GROUP BY ALL
"""


def split_pool(
    references: pa.Table,
    predictions: pa.Table,
    units: pa.Table,
    *,
    bucket: str,
    prefix: str,
    model_version: str | None,
) -> tuple[pa.Table, pa.Table]:
    """Return what may be chosen, and what was asked about before.

    Args:
        references: rows of the contract `references`.
        predictions: rows of the contract `predictions`.
        units: rows of the contract `units`.
        bucket: only references in this bucket.
        prefix: only keys that start with it.
        model_version: whose predictions count; None before the first model.

    Returns:
        Two tables sorted by ref_id: `ref_id, media_version`, what the model says, `stratum` (the predicted class),
        `standing`, `group` (the data subject), `source`, `digest`, `seen_at`. Media that changed since it was asked
        about is back in the pool.
    """
    with session() as db:
        db.register("refs", references)
        db.register("predictions", predictions)
        db.register("units", units)
        db.execute(f"CREATE TEMP TABLE pool AS {_POOL}", {"model": model_version, "bucket": bucket, "prefix": prefix})
        db.execute(f"CREATE TEMP TABLE asked AS {_ASKED}")
        fresh = db.sql("FROM pool ANTI JOIN asked USING (ref_id, media_version) ORDER BY ref_id").to_arrow_table()
        known = db.sql("FROM pool SEMI JOIN asked USING (ref_id, media_version) ORDER BY ref_id").to_arrow_table()
    return fresh, known


def scoring_model(models: pa.Table, predictions: pa.Table, *, now: datetime) -> str | None:
    """Return the model version whose predictions count now.

    The newest promoted model that may still score (one trained on erased rows has an end); without any of ours, the
    newest version that brought probabilities (a user's own model or file); None before both.
    """
    ended = pc.fill_null(pc.less_equal(models["scores_until"], pa.scalar(now)), False)
    good = models.filter(pc.and_(models["promoted"], pc.invert(ended)))
    given = predictions.filter(pc.is_valid(predictions["probabilities"]))
    for table in (good, given):
        if table.num_rows:
            newest = table.sort_by([("created_at", "descending"), ("model_version", "ascending")])
            return str(newest["model_version"][0].as_py())
    return None


def comparable(pool: pa.Table) -> pa.Table:
    """Return the rows that can be compared with each other: all those scored, if any was.

    A reference whose media could not be read has no embedding and no probabilities; it waits for a later round.

    >>> pool = pa.table({"ref_id": ["a", "b"], "embedding": [[1.0], None], "probabilities": pa.nulls(2)})
    >>> comparable(pool)["ref_id"].to_pylist()
    ['a']
    """
    for name in ("embedding", "probabilities"):
        present = pc.is_valid(pool[name])
        if pc.any(present).as_py():
            pool = pool.filter(present)
    return pool
