"""Files a project publishes: training sets, models, reports, below one address in the lake's bucket.

They lie beside the project's Delta tables, never inside one: a table's vacuum removes every file it does not know.
"""

from __future__ import annotations

from labelloop.errors import HeldByLaw, UnavailableError
from tasks.clients.media_store import MediaStore
from tasks.clients.s3 import split_uri


class Published:
    """The published files of one project, by path."""

    def __init__(self, store: MediaStore, uri: str) -> None:
        """Keep files below `uri` (s3://) through a store of objects; nothing is read yet."""
        self._store, self._uri = store, uri.rstrip("/")
        self._bucket, prefix = split_uri(self._uri)
        self._prefix = f"{prefix}/" if prefix else ""

    def address(self, path: str) -> str:
        """Return the s3:// address of a path."""
        return f"{self._uri}/{path}"

    def write(self, path: str, data: bytes, content_type: str) -> str:
        """Write one file and return its address; writing the same again changes nothing a reader sees."""
        self._store.write(self._bucket, self._prefix + path, data, content_type=content_type)
        return self.address(path)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; ErasedError if it is not there."""
        return self._store.read(self._bucket, self._prefix + path)

    def list(self, prefix: str) -> list[str]:
        """Return the paths that start with the prefix, sorted."""
        found = [
            key for rows in self._store.list(self._bucket, self._prefix + prefix) for key in rows["key"].to_pylist()
        ]
        return sorted(key.removeprefix(self._prefix) for key in found)

    def destroy(self, prefix: str) -> int:
        """Destroy every version of every file below the prefix and return how many versions went.

        Raises:
            HeldByLaw: a version is under a legal hold or retention; nothing was deleted.
            UnavailableError: the server said it deleted, but versions are still there.
        """
        keys = list(self._store.keys_ever(self._bucket, self._prefix + prefix))
        found = {key: [v.version_id for v in self._store.versions(self._bucket, key)] for key in keys}
        if any(self._store.hold(self._bucket, key, v) for key, versions in found.items() for v in versions):
            raise HeldByLaw("a published file is under a legal hold or retention", remedy="have the hold lifted")
        for key, versions in found.items():
            self._store.delete_versions(self._bucket, key, versions)
        left = sum(len(self._store.versions(self._bucket, key)) for key in keys)
        if left:
            raise UnavailableError(f"{left} version(s) of published files are still there", remedy="run it again")
        return sum(map(len, found.values()))
