"""The data map: what each place holds of people and media, how that is erased, how long it is kept.

Read by the eraser, the scanner and the documentation; its text lies in `data_contracts/data_map.yaml`.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

Sensitivity = Literal["location", "subject", "content", "pseudonym", "none"]
_CLEAR = {"location", "subject", "content"}


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    erased: str
    kept: str
    sinks: tuple[str, ...]
    told: str | None = None


class TableEntry(_Entry):
    """One table, the sensitivity of each of its columns, and the opaque key its rows are deleted by."""

    by: str | None = None
    columns: dict[str, Sensitivity]


class HotEntry(_Entry):
    """One kind of hot object, named by the first part of its key."""

    holds: Sensitivity


class OutsideEntry(_Entry):
    """One place that is neither a table nor hot state."""

    place: str
    holds: Sensitivity


class DataMap(BaseModel):
    """Every place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tables: dict[str, TableEntry]
    hot: dict[str, HotEntry]
    outside: dict[str, OutsideEntry]

    def personal(self, table: str) -> tuple[str, ...]:
        """Return the columns of a table that are about a person or an object.

        >>> "key" in data_map().personal("references")
        True
        """
        return tuple(name for name, holds in self.tables[table].columns.items() if holds != "none")

    def row_keys(self) -> dict[str, str]:
        """Return for each table whose rows an erasure deletes the column they are deleted by; `units` comes last.

        Other tables refer to units: a killed erasure must still find what belongs to them.
        """
        keys = {name: entry.by for name, entry in self.tables.items() if entry.by}
        return dict(sorted(keys.items(), key=lambda entry: entry[0] == "units"))

    def sinks(self) -> frozenset[str]:
        """Return every part of the eraser that some place needs."""
        return frozenset(sink for entry in self._entries().values() for sink in entry.sinks)

    def told(self) -> dict[str, str]:
        """Return for each place out of reach what a person has to do there."""
        return {name: entry.told for name, entry in self._entries().items() if entry.told}

    def uncovered(self) -> list[str]:
        """Return the places that hold location, subject or content, and that nobody erases and no one is told of."""
        held = {**{name: entry.holds for name, entry in self.hot.items()}}
        held |= {name: entry.holds for name, entry in self.outside.items()}
        named = {name for name, holds in held.items() if holds in _CLEAR}
        named |= {name for name, entry in self.tables.items() if _CLEAR & set(entry.columns.values())}
        return sorted(name for name in named if not (self._entries()[name].sinks or self._entries()[name].told))

    def _entries(self) -> dict[str, _Entry]:
        return {**self.tables, **self.hot, **self.outside}


@cache
def data_map() -> DataMap:
    """Return the data map of this installation."""
    text = (resources.files("data_contracts") / "data_map.yaml").read_text(encoding="utf-8")
    return DataMap.model_validate(yaml.safe_load(text))
