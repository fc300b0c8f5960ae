"""Rows of a reference file: which cannot be used, told by rule and row number, and whose objects the others name.

A file is taken whole or not at all; what to mend is said by row numbers, never by contents.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from labelloop.errors import InputError
from labelloop.identifiers import source_ids
from labelloop.spec.media import Media

COLUMNS = ("uri", "subject", "source_platform", "source_id", "metadata")
# `unreadable`: why the row could not even be taken apart, or null.
ROWS = pa.schema([("number", pa.int64()), ("unreadable", pa.string()), *((name, pa.string()) for name in COLUMNS)])
_BATCH = 50_000

# Each row is told its first problem; what stands there twice is looked for among the rows without one.
_PROBLEMS = r"""
WITH judged AS (
    SELECT number, uri, CASE
        WHEN unreadable IS NOT NULL THEN unreadable
        WHEN coalesce(uri, '') = '' THEN 'uri is empty'
        WHEN NOT starts_with(uri, 's3://') THEN 'uri is no s3:// address'
        WHEN NOT starts_with(uri, $place) OR uri = $place THEN 'uri lies outside media.bucket and media.prefix'
        WHEN regexp_full_match(subject, '\s*') THEN 'subject is blank'
        WHEN source_id IS NOT NULL AND source_platform IS NULL THEN 'source_id has no source_platform'
        WHEN source_platform IS NOT NULL AND source_id IS NULL THEN 'source_platform has no source_id'
        WHEN source_id IS NOT NULL AND source IS NULL THEN 'source_platform or source_id is blank or holds a colon'
        WHEN NOT json_valid(metadata) THEN 'metadata is no JSON'
        WHEN json_type(metadata) <> 'OBJECT' THEN 'metadata is no JSON object'
    END AS problem
    FROM rows
), told AS (
    SELECT number, coalesce(
        problem, CASE WHEN count(*) OVER (PARTITION BY uri, problem) > 1 THEN 'uri stands there more than once' END
    ) AS problem
    FROM judged
)
SELECT problem, count(*) AS n, min(number, 5) AS numbers
FROM told WHERE problem IS NOT NULL GROUP BY problem ORDER BY problem
"""
_NAMED = "SELECT substr(uri, $start) AS key, subject, source FROM rows"


class ReferenceRows:
    """The rows of one file in a DuckDB workspace, in this order: take, check, listed, named."""

    def __init__(self, db: duckdb.DuckDBPyConnection, media: Media) -> None:
        """Begin in an empty workspace, without a row."""
        self._db, self._media = db, media
        self._db.register("part", _with_sources(ROWS.empty_table()))
        self._db.execute("CREATE TABLE rows AS FROM part")

    def take(self, rows: pa.Table) -> None:
        """Take in rows of the ROWS schema."""
        self._db.register("part", _with_sources(rows))
        self._db.execute("INSERT INTO rows FROM part")

    def check(self) -> None:
        """Pass if every row can be used.

        Raises:
            InputError: some cannot; the message counts them by problem, with the numbers of the first.
        """
        place = f"s3://{self._media.bucket}/{self._media.prefix}"
        problems = self._db.execute(_PROBLEMS, {"place": place}).fetchall()
        if problems:
            told = [f"{n} x {problem} (row {', '.join(map(str, numbers))})" for problem, n, numbers in problems]
            raise InputError(
                f"the reference file has {sum(n for _, n, _ in problems)} row(s) that cannot be used: "
                + "; ".join(told),
                remedy="mend them; nothing was taken from the file",
            )
        self._db.execute(f"CREATE TABLE named AS {_NAMED}", {"start": len(f"s3://{self._media.bucket}/") + 1})
        self._db.execute("DROP TABLE rows")

    def listed(self, batch: pa.RecordBatch) -> None:
        """Take in present objects of the bucket, in batches of one schema that has `key`."""
        self._db.register("part", batch)
        self._db.execute("CREATE TABLE IF NOT EXISTS listed AS FROM part LIMIT 0")
        self._db.execute("INSERT INTO listed FROM part")

    def named(self) -> Iterator[pa.RecordBatch]:
        """Yield the present objects that the file names, with `subject` and `source`."""
        query = "SELECT listed.*, named.subject, named.source FROM listed JOIN named USING (key)"
        yield from self._db.sql(query).to_arrow_reader(_BATCH)

    def absent(self) -> int:
        """Return how many of the objects that the file names are not present."""
        counted = self._db.sql("SELECT count(*) FROM named ANTI JOIN listed USING (key)").fetchall()
        return int(counted[0][0])


def _with_sources(rows: pa.Table) -> pa.Table:
    """Return the rows with `source`, the one form of platform and id; null unless both can be used."""
    pairs = zip(rows["source_platform"].to_pylist(), rows["source_id"].to_pylist(), strict=True)
    sources = [
        source_ids(platform, [one])[0] if platform and one and platform.strip() and ":" not in platform else None
        for platform, one in pairs
    ]
    return rows.append_column("source", pa.array(sources, pa.string()))
