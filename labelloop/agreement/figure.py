"""A figure: one agreement coefficient with its interval, or the reason why there is none.

The shape in which agreement leaves this package; how it is computed lives beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One coefficient with its interval and what it rests on, or the reason why it cannot be given.

    `n_units`, `n_annotators` and `n_ratings` count units with at least two ratings, and what was said of them.

    >>> Figure("gwet_ac1", "nominal", reason="there are no ratings").to_dict()
    {'metric': 'gwet_ac1', 'level': 'nominal', 'reason': 'there are no ratings'}
    """

    metric: str
    level: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    n_units: int = 0
    n_annotators: int = 0
    n_ratings: int = 0
    reason: str | None = None

    @property
    def estimable(self) -> bool:
        """True when there is a value, False when there is a reason instead."""
        return self.reason is None

    def to_dict(self) -> dict[str, Any]:
        """The figure as JSON fields: value, interval and counts, or metric, level and reason only."""
        if self.reason is not None:
            return {"metric": self.metric, "level": self.level, "reason": self.reason}
        names = ("metric", "level", "value", "low", "high", "n_units", "n_annotators", "n_ratings")
        return {name: getattr(self, name) for name in names}
