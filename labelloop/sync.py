"""Sync as a decision: what changed between a listing and the known references, and the rows that say so.

Reading the bucket and writing the lake is the stage's work. A source is a bucket and a prefix; each belongs to one
labelling project, since what a listing lacks counts as missing. Everything is kept in a DuckDB workspace, so that ten
million objects need no more memory than it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from labelloop import sync_queries as queries
from labelloop.contracts import contract
from labelloop.scope import scope_query, with_promised_types
from labelloop.spec import ProjectSpec
from labelloop.sql import streamed

ADMITTED = pa.schema(
    [
        pa.field(name, pa.string())
        for name in (
            "key",
            "media_type",
            "subject_hmac",
            "source_hmac",
            "hmac_key_id",
            "content_hmac",
            "content_key_id",
        )
    ]
)
COMPARED = ("ref_id", "bucket", "key", "media_version", "object_version", "etag", "size", "state")
_BATCH = 50_000  # rows handed out at a time
_FEW = 500_000  # references whose ids are held together


class Diff:
    """One comparison of a listing with the references, in this order: take, compare, admit, settle, move, rows."""

    def __init__(self, db: duckdb.DuckDBPyConnection, spec: ProjectSpec) -> None:
        """Begin in an empty workspace, with nothing listed and nothing known."""
        self._db, self._media, self._kind = db, spec.media, spec.interface.media
        self._scope = scope_query(spec.media)
        self.listed = 0  # objects of the listing
        self.in_scope = 0  # of them, those that the spec means
        self.known: Counter[str] = Counter()  # references of this source, by state
        db.execute(queries.LISTED)
        with self._relation("objects", ADMITTED.empty_table()):
            db.execute("CREATE TABLE admitted AS FROM objects")

    def take(self, listing: pa.Table) -> None:
        """Take in listed objects: `key, size, etag, version_id, subject, source`, in any order."""
        self.listed += listing.num_rows
        query, parameters = self._scope
        with self._relation("listing", with_promised_types(listing, self._media, self._kind)):
            self._db.execute(f"INSERT INTO listed {query}", parameters)

    def compare(self, references: Iterable[pa.RecordBatch]) -> None:
        """Find out what changed.

        Each object or reference is then `added`, `changed` (the bucket holds another media version), `missing`,
        `away` (missing before), `reappeared` or unchanged. A restricted reference never changes: an erasure works on
        it.

        Args:
            references: the columns `COMPARED` of the contract; those of other sources are ignored.
        """
        schema = pa.schema([contract("references").schema.field(name) for name in COMPARED])
        with streamed(self._db, "known", schema, map(self._of_source, references)):
            self._db.execute(queries.CHANGES)
        self.in_scope = self._number("SELECT count(*) FROM listed")
        self._db.execute(queries.REFUSED)
        self._db.execute("DROP TABLE listed")

    def _of_source(self, references: pa.RecordBatch) -> pa.RecordBatch:
        here = pc.and_(
            pc.equal(references["bucket"], self._media.bucket),
            pc.starts_with(references["key"], pattern=self._media.prefix),
        )
        ours = references if pc.all(here).as_py() else references.filter(here)  # which copies every row
        for state in pc.value_counts(ours["state"]).to_pylist():
            self.known[state["values"]] += state["counts"]
        return ours

    def counts(self) -> Counter[str]:
        """Return how many objects or references there are of each change; after `settle`, as it was decided."""
        found = Counter(dict(self._db.execute("SELECT change, count(*) FROM changes GROUP BY change").fetchall()))
        touched = sum(found[change] for change in ("changed", "missing", "reappeared", "moved"))
        found["unchanged"] = self.known.total() - touched
        return found

    def probably_moved(self) -> int:
        """Return how many missing references have a new object of their size and entity tag: a hint, no proof."""
        return self._number(queries.PROBABLY_MOVED)

    def refused(self) -> Iterator[tuple[str, str]]:
        """Yield the key of each object that cannot be used, and why, by key."""
        for rows in self._tables("SELECT key, refusal FROM refused ORDER BY key"):
            yield from zip(rows["key"].to_pylist(), rows["refusal"].to_pylist(), strict=True)

    def arriving(self) -> Iterator[pa.Table]:
        """Yield what is added, changed or back, by key: `key, size, promised, subject, source`."""
        return self._tables(queries.ARRIVING)

    def admit(self, objects: pa.Table) -> None:
        """Let arriving objects in, as rows of the schema `ADMITTED`."""
        with self._relation("objects", objects):
            self._db.execute("INSERT INTO admitted FROM objects")

    def settle(self, references: Iterable[pa.RecordBatch]) -> None:
        """Keep out what was not admitted; media whose place it took counts as missing.

        Args:
            references: every column of the contract; rows that do not change are ignored.
        """
        self._db.execute(queries.SETTLE)
        with streamed(self._db, "known", contract("references").schema, self._touched(references)):
            self._db.execute(queries.TOUCHED)

    def _touched(self, references: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        """Return what changes of the references, unless it is much: Arrow passes a few by for less than DuckDB."""
        if self._number("SELECT count(ref_id) FROM changes") > _FEW:
            return references
        ref_ids = self._db.sql(queries.TOUCHED_IDS).to_arrow_table()["ref_id"].combine_chunks()
        return (batch.filter(pc.is_in(batch["ref_id"], value_set=ref_ids)) for batch in references)

    def gone(self) -> pa.Table:
        """Return the references without object that a new object of the same size may be, by key."""
        return self._db.sql(queries.GONE).to_arrow_table()

    def arrived(self, sizes: pa.Array) -> pa.Table:
        """Return the new objects of these sizes: `key, size, subject_hmac, source_hmac`, by key."""
        with self._relation("sizes", pa.table({"size": sizes})):
            return self._db.sql(queries.ARRIVED).to_arrow_table()

    def move(self, moves: pa.Table) -> None:
        """Let new objects be known references: `key, ref_id`, each at most once."""
        with self._relation("moves", moves):
            for query in queries.MOVE:
                self._db.execute(query)

    def added(self, *, now: datetime, new_id: Callable[[], str]) -> Iterator[pa.Table]:
        """Yield the rows of new references, by key; their ref_ids are minted in this order."""
        schema = contract("references").schema
        for rows in self._tables(queries.ADDED):
            times = pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), rows.num_rows)
            given = {
                **{field.name: pa.nulls(rows.num_rows, field.type) for field in schema},
                **dict(zip(rows.column_names, rows.columns, strict=True)),
                "ref_id": pa.array([new_id() for _ in range(rows.num_rows)], pa.string()),
                "bucket": pa.repeat(self._media.bucket, rows.num_rows),
                "state": pa.repeat("active", rows.num_rows),
                "first_seen": times,
                "changed_at": times,
            }
            yield pa.table(given).select(schema.names).cast(schema)

    def altered(self, *, now: datetime) -> Iterator[pa.Table]:
        """Yield the rows of known references that changed, moved, are missing or back."""
        for rows in self._tables(queries.ALTERED, {"now": now}):
            yield rows.cast(contract("references").schema)

    def _number(self, query: str) -> int:
        return int(self._db.execute(query).fetchall()[0][0])

    def _tables(self, query: str, parameters: dict[str, object] | None = None) -> Iterator[pa.Table]:
        # A cursor of its own, since the caller goes on asking while it reads.
        with self._db.cursor() as cursor:
            for batch in cursor.sql(query, params=parameters).to_arrow_reader(_BATCH):
                yield pa.Table.from_batches([batch])

    @contextmanager
    def _relation(self, name: str, rows: pa.Table) -> Iterator[None]:
        self._db.register(name, rows)
        try:
            yield
        finally:
            self._db.unregister(name)
