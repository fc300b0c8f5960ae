"""Hot state in memory, as S3HotState keeps it in a bucket."""

from __future__ import annotations

import itertools
import json
import threading

from labelloop.contracts.data_map import data_map
from labelloop.errors import Conflict
from tasks.clients.hot import Json, Versioned


class MemoryHotState:
    """Conditional puts on a dict; values are copied through JSON, as over the wire."""

    def __init__(self) -> None:
        self._objects: dict[str, tuple[str, str]] = {}
        self._etags = map(str, itertools.count(1))
        self._lock = threading.Lock()

    def __deepcopy__(self, _: dict[int, object]) -> MemoryHotState:
        copied = type(self)()
        for key, (text, _) in self._objects.items():
            copied._put(key, json.loads(text))
        return copied

    def get(self, key: str) -> Versioned | None:
        found = self._objects.get(key)
        return Versioned(json.loads(found[0]), found[1]) if found else None

    def create(self, key: str, value: Json) -> str:
        with self._lock:
            if key in self._objects:
                raise Conflict("somebody else changed the object first while writing hot state")
            return self._put(key, value)

    def replace(self, key: str, value: Json, etag: str) -> str:
        with self._lock:
            if key not in self._objects or self._objects[key][1] != etag:
                raise Conflict("somebody else changed the object first while writing hot state")
            return self._put(key, value)

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self._objects if key.startswith(prefix))

    def _put(self, key: str, value: Json) -> str:
        etag = next(self._etags)
        self._objects[key] = (json.dumps(value), etag)
        return etag


class MappedHotState(MemoryHotState):
    """Refuses kinds of objects that the data map does not know, so that no stage keeps anything unheard of."""

    def _put(self, key: str, value: Json) -> str:
        kind = key.partition("/")[0].removesuffix(".json")
        assert kind in data_map().hot, f"add {kind!r} to `hot` in data_contracts/data_map.yaml"
        return super()._put(key, value)


def expire_leases(hot: MemoryHotState) -> None:
    """Let the time of every lease be over, as it is some moments after its holder was killed."""
    for key in hot.keys("leases/"):
        found = hot.get(key)
        if found:
            hot.replace(key, {**found.value, "expires_at": 0.0}, found.etag)
