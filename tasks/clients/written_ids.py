"""Ids read from where a spec says they are written: the key, an object tag, user metadata or a sidecar."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from labelloop.errors import ErasedError
from labelloop.identifiers import ids_in_keys
from labelloop.spec.media import IdPlace
from tasks.clients.media_store import MediaStore

_THREADS = 16
_SIDECAR_BYTES = 1 << 16
# An id, and whether one should be there that is not or cannot be read.
_Read = tuple[str | None, bool]


def written_ids(store: MediaStore, bucket: str, keys: Sequence[str], place: IdPlace | None) -> list[_Read]:
    """Return the id of each object, and whether the object has to wait because its id is lacking.

    Args:
        store: where the objects lie; asked once for each object unless its key says the id.
        bucket: their bucket.
        keys: their exact keys.
        place: where the spec says the id is written; None if nowhere.

    Returns:
        In the order of the keys. A key that does not match has no id, and never will: the object need not wait. A
        tag, metadata or sidecar may still be on its way, unless the spec calls the id optional. A sidecar that cannot
        be read always makes the object wait.
    """
    if place is None or place.key is not None:
        pattern, group = (place.key, place.group) if place else (None, "")
        return [(found, False) for found in ids_in_keys(keys, pattern, group=group)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(partial(_read, store, bucket, place), keys))


def _read(store: MediaStore, bucket: str, place: IdPlace, key: str) -> _Read:
    try:
        found = (_written(store, bucket, key, place) or "").strip() or None
    except ErasedError:
        return None, False  # the object went meanwhile
    except (ValueError, RecursionError):
        return None, True
    return found, found is None and not place.optional


def _written(store: MediaStore, bucket: str, key: str, place: IdPlace) -> str | None:
    if place.tag is not None:
        return store.tags(bucket, key).get(place.tag)
    if place.metadata is not None:
        return store.metadata(bucket, key).get(place.metadata.lower())
    return _in_sidecar(store, bucket, f"{key}.json", str(place.sidecar))


def _in_sidecar(store: MediaStore, bucket: str, sidecar: str, field: str) -> str | None:
    try:
        text = store.read(bucket, sidecar, limit=_SIDECAR_BYTES + 1)
    except ErasedError:
        return None
    if len(text) > _SIDECAR_BYTES:
        raise ValueError("too large for a sidecar")
    value: Any = json.loads(text)
    for name in field.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise ValueError("no text and no whole number")
    return None if value is None else str(value)
