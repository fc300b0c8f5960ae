"""From counts to the patterns that coefficients read, and what figures rest on.

A unit of m answers is as good as its m (m - 1) / 2 pairs of answers, each counted 2 / (m (m - 1)) where units count
once, or 1 / (m - 1) where every answer does, as in Krippendorff's alpha: both are whole numbers until the last step.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from scipy import sparse

from labelloop.agreement.patterns import Patterns
from labelloop.agreement.ratings import FloatArray, IntArray, Ratings
from labelloop.agreement.similarity import Scale, scale_of
from labelloop.agreement.table import Extent
from labelloop.tallies.tally import GROUPS, Key, Tally

Counts = Mapping[Key, IntArray]
Cells = Mapping[tuple[int, ...], FloatArray]  # values given together, and how much of it is in each group
_NOTHING: Final[Counts] = {}


@dataclass(frozen=True)
class Values:
    """The values that occur: the code of each text, what it stands for, and how far two of them are apart."""

    code: Mapping[str, int]
    names: list[str | frozenset[str]]
    scale: Scale


@dataclass(frozen=True)
class Part:
    """What was counted of one slice of the answers: `pairs` of answers to one unit, and answers `given`."""

    pairs: Counts
    given: Counts

    @property
    def extent(self) -> Extent:
        """Units of two answers or more, their annotators and answers."""
        shared = {key: int(n.sum()) for key, n in self.given.items() if key[0] != "1"}
        people = {annotator for _, annotator, _ in shared}
        units = sum(n // (m * (m - 1) // 2) for m, n in _by_size(self.pairs).items())
        return Extent(units, len(people), sum(shared.values()))

    def cells(self, code: Mapping[str, int], weight: Callable[[int], float]) -> Cells:
        """Each two values that were given to one unit, whoever gave which, weighed by the answers of the unit."""
        found: dict[tuple[int, ...], FloatArray] = defaultdict(lambda: np.zeros(GROUPS))
        for (m, *_, one, other), n in sorted(self.pairs.items()):
            found[tuple(sorted((code[one], code[other])))] += weight(int(m)) * n
        return found

    def alone(self, code: Mapping[str, int]) -> Cells:
        """Values that were given to a unit nobody else answered."""
        found: dict[tuple[int, ...], FloatArray] = defaultdict(lambda: np.zeros(GROUPS))
        for (m, _, value), n in sorted(self.given.items()):
            if m == "1":
                found[code[value],] += n
        return found


def part_of(tally: Tally, scope: str, name: str) -> Part:
    """What was counted of a slice."""
    return Part(*(tally.families.get((family, scope, name), _NOTHING) for family in ("pairs", "given")))


def each_unit_once(m: int) -> float:
    """Weight of a pair among m answers when every unit counts once."""
    return 2.0 / (m * (m - 1))


def each_answer_once(m: int) -> float:
    """Weight of a pair among m answers when every answer counts once."""
    return 1.0 / (m - 1)


def values_of(kind: str, texts: Iterable[str]) -> Values:
    """The values in their order; of choices the labels, as sets where somebody chose several.

    Raises:
        NotEstimable: more different sets than a table of distances may have.
    """
    found, level = sorted(texts), {"rating": "ordinal", "taxonomy": "taxonomy"}.get(kind, "nominal")
    names: list[str | frozenset[str]] = list(found)
    values = pa.array(found, pa.string())
    if kind == "rating":
        found = sorted(found, key=float)
        values = pa.array([float(text) for text in found], pa.float64())
    elif kind in ("choices", "pairwise"):
        sets = [frozenset(json.loads(text)) for text in found]
        level = "nominal" if all(len(one) == 1 for one in sets) else "masi"
        names = [*sets]
    none, nobody = np.empty(0, dtype=np.int64), pa.nulls(0, pa.string())
    coded = Ratings(none, none, none, nobody, nobody, values, ordered=kind == "rating")
    return Values({text: place for place, text in enumerate(found)}, names, scale_of(coded, level))


def patterns_of_cells(cells: Cells, n_categories: int, *, of_two: bool = False) -> Patterns:
    """The cells as patterns whose groups are resampled; `of_two`: the first value is that of one annotator.

    Where all is in one group, of one person or source, the cells themselves are resampled: what is measured then
    speaks of these alone.
    """
    keys = sorted(cells)
    rows = np.repeat(np.arange(len(keys)), [len(key) for key in keys])
    given = np.array([value for key in keys for value in key], dtype=np.int64)
    counts = sparse.csr_array((np.ones(len(given)), (rows, given)), shape=(len(keys), n_categories))
    groups = np.stack([cells[key] for key in keys], axis=1) if keys else np.zeros((GROUPS, 0))
    pair = (given[0::2], given[1::2]) if of_two else None
    seen = groups[groups.any(axis=1)]
    clusters = sparse.csr_array(seen) if len(seen) > 1 else None
    return Patterns(counts, groups.sum(axis=0), clusters, pair=pair)


def _by_size(pairs: Counts) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for (m, *_), n in pairs.items():
        found[int(m)] += int(n.sum())
    return found
