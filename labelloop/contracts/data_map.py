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


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    erased: str
    kept: str


class TableEntry(_Entry):
    """One table and the sensitivity of each of its columns."""

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


@cache
def data_map() -> DataMap:
    """Return the data map of this installation."""
    text = (resources.files("data_contracts") / "data_map.yaml").read_text(encoding="utf-8")
    return DataMap.model_validate(yaml.safe_load(text))


def hot_kind(key: str) -> str:
    """Return the kind of a hot object's key, which is its name in the data map.

    >>> hot_kind("leases/digits/sync.json"), hot_kind("suppression-keys.json")
    ('leases', 'suppression-keys')
    """
    return key.partition("/")[0].removesuffix(".json")
