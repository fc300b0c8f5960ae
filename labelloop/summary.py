"""What a stage says of itself when it ends: counts and notes, no rows and no identifiers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Summary(BaseModel):
    """Counts of one stage of one project, JSON-safe, free of identifiers.

    >>> Summary(stage="sync", counts={"added": 3}).line()
    'sync: added 3'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    counts: dict[str, int] = {}
    notes: tuple[str, ...] = ()

    def line(self) -> str:
        """Return the summary as one line of text."""
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items()) or "nothing to do"
        return "; ".join([f"{self.stage}: {counts}", *self.notes])
