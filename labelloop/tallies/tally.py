"""A tally: how often something was seen in each of 256 random groups of clusters. Tallies of other units just add.

Groups take the place of clusters in the bootstrap: whole groups are resampled (random groups, Wolter 2007, chapter
2), so that what is kept does not grow with the clusters, and names nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement.ratings import IntArray
from labelloop.contracts import contract

GROUPS: Final = 256
Key = tuple[str, ...]
Codes = tuple[IntArray, Sequence[str]]  # whole numbers from 0, and what each of them means


@dataclass
class Tally:
    """Counts of one question: family (what is counted) to key (what was seen) to the number in each group."""

    families: dict[Key, dict[Key, IntArray]] = field(default_factory=dict)

    def count(self, family: Key, columns: Sequence[Codes], group: IntArray) -> None:
        """Add one case per entry: what it is in each column, and the group it belongs to.

        >>> tally = Tally()
        >>> tally.count(("seen",), [(np.array([0, 1, 1]), ["cat", "dog"])], np.array([7, 7, 7]))
        >>> {key: int(n[7]) for key, n in tally.families["seen",].items()}
        {('cat',): 1, ('dog',): 2}
        """
        code: IntArray = np.zeros(len(group), dtype=np.int64)
        for codes, names in columns:
            code = code * max(len(names), 1) + codes
        distinct, of = np.unique(code, return_inverse=True)
        counts = np.bincount(of.reshape(-1) * GROUPS + group, minlength=len(distinct) * GROUPS)
        keys: list[list[str]] = []
        for _, names in reversed(columns):
            distinct, place = np.divmod(distinct, max(len(names), 1))
            keys.insert(0, [names[one] for one in place.tolist()])
        self._add(family, zip(*keys, strict=True) if keys else [()], counts.reshape(-1, GROUPS))

    def add(self, other: Tally) -> None:
        """Add the counts of other units."""
        for family, cells in other.families.items():
            self._add(family, cells, cells.values())

    def _add(self, family: Key, keys: Iterable[Key], counts: Iterable[IntArray]) -> None:
        cells = self.families.setdefault(family, {})
        for key, n in zip(keys, counts, strict=False):
            cells[key] = cells[key] + n if key in cells else n


def together(parts: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """Tallies of questions, counted of different units, as one."""
    total: dict[str, Tally] = {}
    for part in parts:
        for control, tally in part.items():
            total.setdefault(control, Tally()).add(tally)
    return total


def codes_of(column: pa.ChunkedArray | pa.Array) -> Codes:
    """The codes of a column's values, and each value once, as text.

    >>> codes_of(pa.array([0.5, 0.25, 0.5]))
    (array([0, 1, 0]), ['0.5', '0.25'])
    """
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found = whole.dictionary_encode()
    return found.indices.to_numpy().astype(np.int64), [str(value) for value in found.dictionary.to_pylist()]


def groups_of(names: pa.ChunkedArray | pa.Array) -> IntArray:
    """The group of each name, 0 to 255: the same for the same name in every night and on every machine.

    >>> groups_of(pa.array(["a", "b", "a"])).tolist()
    [208, 223, 208]
    """
    hashed = pd.util.hash_array(np.asarray(names.to_pylist(), dtype=object))
    return (hashed % np.uint64(GROUPS)).astype(np.int64)


def tally_rows(tallies: Mapping[str, Tally]) -> pa.Table:
    """Return rows of the contract `tallies`, one for each thing counted."""
    rows = [
        {
            "tally_id": hashlib.sha256("\0".join((control, *family, "", *key)).encode()).hexdigest()[:32],
            "control": control,
            "family": list(family),
            "key": list(key),
            "counts": n,
        }
        for control, tally in sorted(tallies.items())
        for family, cells in sorted(tally.families.items())
        for key, n in sorted(cells.items())
    ]
    return pa.Table.from_pylist(rows, schema=contract("tallies").schema)


def emptied(before: pa.Table, now: pa.Table) -> pa.Table:
    """Return rows that say of what is counted no more that it was never seen."""
    gone = before.filter(pc.invert(pc.is_in(before["tally_id"], value_set=now["tally_id"].combine_chunks())))
    nothing = pa.array([[0] * GROUPS] * gone.num_rows, before.schema.field("counts").type)
    return gone.set_column(gone.column_names.index("counts"), gone.schema.field("counts"), nothing)


def tallies_of(rows: pa.Table) -> dict[str, Tally]:
    """Return what rows of the contract `tallies` say, by question."""
    found: dict[str, Tally] = {}
    counts = rows["counts"].combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, GROUPS)
    columns = (rows[name].to_pylist() for name in ("control", "family", "key"))
    for control, family, key, n in zip(*columns, counts, strict=True):
        if n.any():
            found.setdefault(control, Tally()).families.setdefault(tuple(family), {})[tuple(key)] = n
    return found
