"""Moves: which new objects are known references that lie somewhere else now, told by their bytes.

Size and entity tag only say where to look: an ETag depends on how an object was uploaded and encrypted.
"""

from __future__ import annotations

import pyarrow as pa

from labelloop.sql import session

# Of several with the same bytes it does not matter which is which; each is paired once, in the order of the keys.
# The same bytes under another subject or source are another reference: an erasure must find both.
_PAIRED = """
WITH g AS (SELECT *, row_number() OVER (PARTITION BY size, digest, subject_hmac, source_hmac ORDER BY key) AS n
           FROM gone WHERE digest IS NOT NULL),
     a AS (SELECT *, row_number() OVER (PARTITION BY size, digest, subject_hmac, source_hmac ORDER BY key) AS n
           FROM arrived WHERE digest IS NOT NULL)
SELECT a.key, g.ref_id
FROM g JOIN a ON g.size = a.size AND g.digest = a.digest AND g.n = a.n
     AND g.subject_hmac IS NOT DISTINCT FROM a.subject_hmac AND g.source_hmac IS NOT DISTINCT FROM a.source_hmac
ORDER BY a.key
"""


def paired(gone: pa.Table, arrived: pa.Table) -> pa.Table:
    """Return `key, ref_id` for each new object that is a reference whose object is gone.

    Args:
        gone: `ref_id, key, size, subject_hmac, source_hmac, digest` of references without object.
        arrived: `key, size, subject_hmac, source_hmac, digest` of new objects.

    Digests of the bytes are compared as they are; null where the bytes could not be read.

    >>> gone = pa.table({"ref_id": ["r"], "key": ["a"], "size": [3], "digest": ["d"],
    ...                  "subject_hmac": ["s"], "source_hmac": pa.nulls(1, pa.string())})
    >>> arrived = gone.select(["size", "digest", "subject_hmac", "source_hmac"]).append_column("key", [["b"]])
    >>> paired(gone, arrived).to_pylist()
    [{'key': 'b', 'ref_id': 'r'}]
    """
    with session() as db:
        db.register("gone", gone)
        db.register("arrived", arrived)
        return db.sql(_PAIRED).to_arrow_table()
