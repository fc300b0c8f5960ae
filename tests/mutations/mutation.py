"""What a planted bug is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One planted bug: `right` stands exactly once in `file`; with `wrong` in its place `tests` must fail."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str
