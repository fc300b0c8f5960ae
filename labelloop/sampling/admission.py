"""What surrounds every strategy: near-duplicates, quotas and the budget, by which a pick is admitted or not.

The strategy is asked for a batch; what is not admitted is taken out of the pool, and it is asked again for what is
still lacking, with the admitted ones counted as labelled. So every strategy keeps its own idea of a good batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from labelloop.sampling.limits import Rule
from labelloop.sampling.pool import Picks, Pool

Pick = Callable[[Pool, int, np.random.Generator], Picks]


def choose(
    pool: Pool, n: int, pick: Pick, rules: Sequence[Rule], rng: np.random.Generator
) -> tuple[Picks, dict[str, int]]:
    """Up to n picks that every rule admits, and how many rows each rule kept out.

    Inclusion probabilities are those of a draw from the rows open at the start; they are given up when a pick had to
    be replaced.
    """
    if not rules:
        return pick(pool, n, rng), {}
    is_open, refused = np.ones(len(pool), dtype=bool), Counter[str]()
    chosen, parts, replaced = np.empty(0, dtype=np.intp), list[Picks](), False
    while len(chosen) < n:
        _close(is_open, rules, refused)
        left = np.flatnonzero(is_open)
        if not len(left):
            break
        # the usual case, in which nothing need be copied
        whole = len(left) == len(pool)
        picks = pick(pool if whole else pool.left(left, chosen), min(n - len(chosen), len(left)), rng)
        rows = left[picks.rows]
        admitted = np.array([_admitted(int(row), rules, refused) for row in rows])
        is_open[rows] = False
        replaced |= not admitted.all()
        chosen = np.concatenate([chosen, rows[admitted]])
        parts.append(_only(picks, rows, admitted))
    return _joined(parts, keep_inclusion=not replaced), dict(refused)


def _close(is_open: NDArray[np.bool_], rules: Sequence[Rule], refused: Counter[str]) -> None:
    for rule in rules:
        shut = rule.closed() & is_open
        if shut.any():
            refused[rule.name] += int(shut.sum())
            is_open &= ~shut


def _admitted(row: int, rules: Sequence[Rule], refused: Counter[str]) -> bool:
    for rule in rules:
        if not rule.admits(row):
            refused[rule.name] += 1
            return False
    for rule in rules:
        rule.take(row)
    return True


def _only(picks: Picks, rows: NDArray[np.intp], kept: NDArray[np.bool_]) -> Picks:
    """The kept picks, with their rows in the whole pool."""
    return Picks(
        rows[kept],
        None if picks.scores is None else picks.scores[kept],
        None if picks.inclusion is None else picks.inclusion[kept],
        [reason for reason, stays in zip(picks.reasons, kept, strict=True) if stays],
    )


def _joined(parts: Sequence[Picks], *, keep_inclusion: bool) -> Picks:
    def column(name: str) -> NDArray[np.floating] | None:
        values = [getattr(part, name) for part in parts]
        return None if any(value is None for value in values) else np.concatenate([np.empty(0), *values])

    rows = np.concatenate([np.empty(0, dtype=np.intp), *(part.rows for part in parts)])
    reasons = [reason for part in parts for reason in part.reasons]
    return Picks(rows, column("scores"), column("inclusion") if keep_inclusion else None, reasons)
