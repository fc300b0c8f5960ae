"""Suppression: which objects must never be admitted again, told by keyed digests alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract
from labelloop.erasure.request import Identifiers
from labelloop.identity import KeyRing


class Suppressions:
    """The suppressions in force, ready to be asked about many objects."""

    def __init__(self, rows: pa.Table, ring: KeyRing) -> None:
        """Take rows of the contract `suppressions`; lifted ones do not count."""
        in_force = rows.filter(pc.is_null(rows["lifted_at"]))
        self._ring = ring
        self._digests: dict[tuple[str, str], set[str]] = defaultdict(set)
        for row in in_force.select(["kind", "hmac_key_id", "key_hmac"]).to_pylist():
            self._digests[row["kind"], row["hmac_key_id"]].add(row["key_hmac"])

    @property
    def key_ids(self) -> set[str]:
        """Ids of the keys that made them."""
        return {key_id for _, key_id in self._digests}

    def cover(self, bucket: str, keys: Sequence[str], subjects: Sequence[str | None]) -> list[bool]:
        """Return for each object whether its key, a prefix above it or its subject is suppressed.

        Args:
            bucket: where the objects lie.
            keys: exact object keys.
            subjects: the data subject each key names, or None.
        """
        covered = [False] * len(keys)
        for (kind, key_id), digests in self._digests.items():
            for number, identifiers in enumerate(_asked(kind, bucket, keys, subjects)):
                if identifiers and not covered[number]:
                    made = self._ring.digests(kind, identifiers, key_id=key_id)
                    covered[number] = not digests.isdisjoint(made)
        return covered


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
    }
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


def _asked(kind: str, bucket: str, keys: Sequence[str], subjects: Sequence[str | None]) -> Iterable[list[str]]:
    """Yield for each object the identifiers of one kind that would suppress it."""
    if kind == "object_key":
        return ([f"{bucket}/{key}"] for key in keys)
    if kind == "prefix":
        return (list(_prefixes(bucket, key)) for key in keys)
    if kind == "subject":
        return ([subject] if subject else [] for subject in subjects)
    return ([] for _ in keys)


def _prefixes(bucket: str, key: str) -> Iterator[str]:
    """Yield every `/`-ended prefix of the key, with its bucket."""
    return (f"{bucket}/{key[: end + 1]}" for end, letter in enumerate(key) if letter == "/")
