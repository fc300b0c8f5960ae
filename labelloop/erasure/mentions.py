"""Whether a document of somebody else names what is erased: a refused row, a saved view, a file."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = re.compile(r"[0-9a-f]{32}")
# A name ends where one of these, or the text, does; `a/k` must not be found in `a/k2`.
_END = rb"(?![A-Za-z0-9._~/%-])"


def mentions(row: object, identifiers: Collection[str]) -> bool:
    """Return whether a document names any of the identifiers as a whole value of any of its fields.

    >>> mentions({"unit_id": "u1", "ref_ids": ["a", "b"]}, {"b"})
    True
    """
    return any(text in identifiers for text in _texts(row))


def view_names_erased(
    view: Mapping[str, Any], names: Collection[str], erased: pa.Array, kept: pa.ChunkedArray
) -> bool:
    """Return whether a filter of a saved view gives away something erased.

    It does if it holds one of the names, or a fragment of an erased address that is in no address that stays:
    `anna/` where only her objects lie does, `faces/` does not.

    Args:
        view: `data` of a saved view of Label Studio.
        names: `Plan.names()`.
        erased: addresses (s3://) of the erased objects.
        kept: addresses of all others.
    """
    items = (view.get("filters") or {}).get("items") or []
    if mentions(items, names) or any(_holds_name(text, names) for text in _texts(items)):
        return True
    about_data = [item for item in items if str(item.get("filter", "")).startswith("filter:tasks:data.")]
    fragments = [text for item in about_data for text in _texts(item.get("value")) if text]
    return any(_occurs(text, erased) and not _occurs(text, kept) for text in fragments)


def pattern_of(names: Collection[str]) -> re.Pattern[bytes]:
    r"""Return what finds any of the names in the bytes of a file, also as JSON or a URL writes them, or as base64.

    >>> bool(pattern_of(["s3://m/ü k"]).search(b'{"image": "s3:\\/\\/m\\/\\u00fc k"}'))
    True
    >>> bool(pattern_of(["s3://m/k"]).search(b"s3://m/k2"))
    False
    """
    forms = {form for name in names for form in _forms(name)}
    if not forms:
        return re.compile(b"(?!)")
    return re.compile(b"(?:" + b"|".join(sorted(map(re.escape, forms), reverse=True)) + b")" + _END)


def _forms(name: str) -> Iterator[bytes]:
    escaped = json.dumps(name)[1:-1]
    # As Label Studio writes what a browser asks it for.
    encoded = base64.urlsafe_b64encode(name.encode("utf-8", "surrogatepass")).decode()
    for text in (name, escaped, quote(name), quote(name, safe=""), encoded, quote(encoded)):
        yield text.encode("utf-8", "surrogatepass")
        yield text.replace("/", "\\/").encode("utf-8", "surrogatepass")


def _holds_name(text: str, names: Collection[str]) -> bool:
    return any(number in names for number in _NUMBER.findall(text))


def _occurs(text: str, addresses: pa.Array | pa.ChunkedArray) -> bool:
    return bool(pc.any(pc.match_substring(addresses, text)).as_py())


def _texts(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from _texts(part)
    elif isinstance(document, str):
        yield document
