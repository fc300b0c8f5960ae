"""A data contract read from its ODCS v3 file: columns, keys and the Arrow schema derived from them.

Knows the files of `data_contracts/` and nothing of the rows; rules for rows are derived in the files beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import pyarrow as pa
from open_data_contract_standard.model import OpenDataContractStandard, SchemaProperty

from labelloop.contracts.arrow_type import arrow_type
from labelloop.errors import ConfigurationError


@dataclass(frozen=True)
class ForeignKey:
    """A column whose values (or items, for a list) must exist in another table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True)
class Column:
    """One column and what a single value of it must be."""

    name: str
    arrow_type: pa.DataType
    required: bool
    description: str
    allowed: tuple[str, ...] = ()
    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class Contract:
    """Shape and rules of one table."""

    name: str
    version: str
    description: str
    scope: Literal["lake", "project"]
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema: column order and nullability as in the file."""
        return pa.schema([pa.field(c.name, c.arrow_type, nullable=not c.required) for c in self.columns])


@cache
def contract(name: str) -> Contract:
    """Return the contract of one table.

    Raises:
        ConfigurationError: there is no such table, or its file is not a usable contract.

    >>> contract("references").primary_key
    ('ref_id',)
    """
    file = resources.files("data_contracts") / f"{name}.yaml"
    if not file.is_file() or name == "data_map":
        raise ConfigurationError(f"there is no data contract named {name!r}", remedy="see data_contracts/")
    return _read(name, file.read_text(encoding="utf-8"))


@cache
def all_contracts() -> tuple[Contract, ...]:
    """Return every contract, by name.

    >>> "labels" in {c.name for c in all_contracts()}
    True
    """
    files = resources.files("data_contracts").iterdir()
    names = sorted(f.name.removesuffix(".yaml") for f in files if f.name.endswith(".yaml"))
    return tuple(contract(name) for name in names if name != "data_map")


def _read(name: str, text: str) -> Contract:
    document = OpenDataContractStandard.from_string(text)
    table = (document.schema_ or [])[0]
    properties = table.properties or []
    keys = sorted((p for p in properties if p.primaryKey), key=lambda p: p.primaryKeyPosition or 0)
    scope = {p.property: p.value for p in document.customProperties or []}.get("scope")
    return Contract(
        name=name,
        version=document.version or "",
        description=table.description or "",
        scope="lake" if scope == "lake" else "project",
        columns=tuple(_column(p) for p in properties),
        primary_key=tuple(p.name or "" for p in keys),
        foreign_keys=tuple(_foreign_keys(properties)),
    )


def _column(p: SchemaProperty) -> Column:
    options = p.logicalTypeOptions or {}
    return Column(
        name=p.name or "",
        arrow_type=arrow_type(p.physicalType or ""),
        required=bool(p.required),
        description=p.description or "",
        allowed=tuple(str(v.value) for v in p.enum or []),
        pattern=options.get("pattern"),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
    )


def _foreign_keys(properties: list[SchemaProperty]) -> list[ForeignKey]:
    found = []
    for p in properties:
        for relationship in p.relationships or []:
            table, _, key = str(relationship.to).partition(".")
            found.append(ForeignKey(p.name or "", table, key))
    return found
