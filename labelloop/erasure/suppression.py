"""Suppression: which objects must never be admitted again, told by keyed digests alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from labelloop.erasure.request import Identifiers
from labelloop.identity import KeyRing

# What the empty object hashes to says nothing about whom it shows.
_NO_BYTES = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class Suppressions:
    """The suppressions in force, ready to be asked about many objects."""

    def __init__(self, rows: pa.Table, ring: KeyRing) -> None:
        """Take rows of the contract `suppressions`; lifted ones do not count."""
        in_force = rows.filter(pc.is_null(rows["lifted_at"]))
        self._ring = ring
        self._digests: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in in_force.select(["kind", "hmac_key_id", "key_hmac"]).to_pylist():
            self._digests[row["kind"]][row["hmac_key_id"]].add(row["key_hmac"])

    @property
    def key_ids(self) -> set[str]:
        """Ids of the keys that made them."""
        return {key_id for by_key in self._digests.values() for key_id in by_key}

    def cover(
        self,
        bucket: str,
        keys: Sequence[str],
        subjects: Sequence[str | None],
        sources: Sequence[str | None] | None = None,
    ) -> list[bool]:
        """Return for each object whether its key, a prefix above it, its subject or its source is suppressed.

        Args:
            bucket: where the objects lie.
            keys: exact object keys.
            subjects: the data subject of each, or None.
            sources: where each came from, as `labelloop.identity.source_identifier` writes it, or None.
        """
        named = self._suppressed("object_key", (f"{bucket}/{key}" for key in keys))
        below = self._suppressed_folders(bucket, keys)
        shown = self._suppressed("subject", {subject for subject in subjects if subject})
        came = self._suppressed("source", {source for source in sources or () if source})
        if not (named or below or shown or came):
            return [False] * len(keys)
        return [
            f"{bucket}/{key}" in named or _folder(key) in below or subject in shown or source in came
            for key, subject, source in zip(keys, subjects, sources or [None] * len(keys), strict=True)
        ]

    def cover_references(self, references: pa.Table) -> pa.ChunkedArray:
        """Return for each reference whether its key, a prefix above it, its subject or its source is suppressed.

        Subjects and sources are compared as the digests they are kept as.
        """
        rows = references.select(["bucket", "key"]).to_pylist()
        named = {
            (bucket, key)
            for bucket in {row["bucket"] for row in rows}
            for keys in [[row["key"] for row in rows if row["bucket"] == bucket]]
            for key, covered in zip(keys, self.cover(bucket, keys, [None] * len(keys)), strict=True)
            if covered
        }
        by_name = pa.chunked_array([[(row["bucket"], row["key"]) in named for row in rows]], pa.bool_())
        by_subject, by_source = (
            pc.is_in(references[f"{kind}_hmac"], value_set=pa.array(sorted(self._made(kind)), pa.string()))
            for kind in ("subject", "source")
        )
        return pc.or_(by_name, pc.or_(by_subject, by_source))

    def may_cover_content(self, sizes: Sequence[int]) -> list[bool]:
        """Return for each object whether its size is that of suppressed content, so that its bytes must be read."""
        alike = self._suppressed("content_size", map(str, set(sizes)))
        return [str(size) in alike for size in sizes]

    def cover_content(self, digests: Sequence[str]) -> list[bool]:
        """Return for each object whether its bytes are suppressed; no bytes at all never are.

        Args:
            digests: SHA-256 of each object's bytes, as hexadecimal digits; to be kept in memory only.
        """
        covered = self._suppressed("content", set(digests) - {_NO_BYTES})
        return [digest in covered for digest in digests]

    def _made(self, kind: str) -> set[str]:
        return set().union(*self._digests[kind].values()) if kind in self._digests else set()

    def _suppressed(self, kind: str, identifiers: Iterable[str]) -> set[str]:
        """Return those of the identifiers that are suppressed under any key."""
        if kind not in self._digests:
            return set()
        asked = list(identifiers)
        return {
            identifier
            for key_id, digests in self._digests[kind].items()
            for identifier, made in zip(asked, self._ring.digests(kind, asked, key_id=key_id), strict=True)
            if made in digests
        }

    def _suppressed_folders(self, bucket: str, keys: Iterable[str]) -> set[str]:
        """Return the folders of the keys, each looked up once, that lie at or below a suppressed prefix."""
        if "prefix" not in self._digests:
            return set()
        above = {folder: [f"{bucket}/{prefix}" for prefix in _prefixes(folder)] for folder in set(map(_folder, keys))}
        suppressed = self._suppressed("prefix", {prefix for prefixes in above.values() for prefix in prefixes})
        return {folder for folder, prefixes in above.items() if not suppressed.isdisjoint(prefixes)}


def suppression_rows(wanted: Identifiers, bucket: str, ring: KeyRing, *, request_id: str, now: datetime) -> pa.Table:
    """Return the rows of `suppressions` for a request; the same request gives the same rows.

    Args:
        wanted: what has to be forgotten.
        bucket: where its object keys and prefixes lie.
        ring: its current key makes the digests.
        request_id: the request.
        now: when the suppressions take effect.
    """
    named = {
        "object_key": [f"{bucket}/{key}" for key in wanted.object_keys],
        "prefix": [f"{bucket}/{prefix}" for prefix in wanted.prefixes],
        "subject": wanted.subjects,
        "source": [source.canonical for source in wanted.sources],
    }
    return _rows(named, ring, request_id, now)


def content_rows(contents: Iterable[tuple[int, str]], ring: KeyRing, *, request_id: str, now: datetime) -> pa.Table:
    """Return the rows of `suppressions` that keep the same bytes away under any name.

    Args:
        contents: size and SHA-256 (hexadecimal) of what is erased; no bytes at all are left out.
        ring: its current key makes the digests.
        request_id: the request.
        now: when the suppressions take effect.
    """
    kept = sorted({(size, digest) for size, digest in contents if size})
    named = {"content": [digest for _, digest in kept], "content_size": [str(size) for size, _ in kept]}
    return _rows(named, ring, request_id, now)


def _rows(named: Mapping[str, Iterable[str]], ring: KeyRing, request_id: str, now: datetime) -> pa.Table:
    rows = [
        {
            "suppression_id": ring.digest("suppression", f"{request_id}/{kind}/{made}")[:32],
            "kind": kind,
            "key_hmac": made,
            "hmac_key_id": ring.current,
            "request_id": request_id,
            "created_at": now,
            "lifted_at": None,
        }
        for kind, identifiers in named.items()
        for made in dict.fromkeys(ring.digests(kind, identifiers))
    ]
    return pa.Table.from_pylist(rows, schema=contract("suppressions").schema)


def _folder(key: str) -> str:
    return key[: key.rfind("/") + 1]


def _prefixes(folder: str) -> list[str]:
    """Return every `/`-ended prefix of the folder, itself the last."""
    return [folder[: end + 1] for end, letter in enumerate(folder) if letter == "/"]
