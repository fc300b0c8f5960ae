"""Arrow types by the names that contracts give them: `list<struct<start double, labels list<string>>>`."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pyarrow as pa

from labelloop.errors import ConfigurationError

_PLAIN = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "float": pa.float32(),
    "bool": pa.bool_(),
    "binary": pa.binary(),
    "timestamp[us, UTC]": pa.timestamp("us", tz="UTC"),
}
_NESTED = re.compile(r"(list|struct)<(.*)>")


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type of a `physicalType`.

    Args:
        name: a plain type, `list<TYPE>` or `struct<FIELD TYPE, FIELD TYPE>`, nested as deep as needed.

    Raises:
        ConfigurationError: it is no such name.

    >>> arrow_type("list<struct<start double, labels list<string>>>")
    ListType(list<item: struct<start: double, labels: list<item: string>>>)
    """
    if name in _PLAIN:
        return _PLAIN[name]
    nested = _NESTED.fullmatch(name)
    if nested is None:
        known = ", ".join(_PLAIN)
        raise ConfigurationError(
            f"{name!r} is no type of a contract", remedy=f"use {known}, list<...> or struct<...>"
        )
    if nested[1] == "list":
        return pa.list_(arrow_type(nested[2]))
    return pa.struct([(field, arrow_type(kind)) for field, kind in _fields(nested[2])])


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and type of each field; a comma within brackets parts nothing."""
    depth = start = 0
    for end, sign in enumerate(f"{text},"):
        depth += (sign in "<[") - (sign in ">]")
        if (sign == "," and depth == 0) or end == len(text):
            field, _, kind = text[start:end].strip().partition(" ")
            yield field, kind
            start = end + 1
