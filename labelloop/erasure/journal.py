"""The journal of an erasure: what each sink still held when it was looked at after its step. Sealed like the plan."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class Journal(BaseModel):
    """The steps taken so far, by sink; places and numbers only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remaining: dict[str, dict[str, int]] = {}

    def noted(self, sink: str, remaining: Mapping[str, int]) -> Journal:
        """Return the journal after a step.

        >>> Journal().noted("rows", {"units": 0}).is_verified("rows")
        True
        """
        return Journal(remaining={**self.remaining, sink: dict(remaining)})

    def is_verified(self, sink: str) -> bool:
        """Return whether the step was taken and nothing was left behind; a later run looks again all the same."""
        return sink in self.remaining and not any(self.remaining[sink].values())
