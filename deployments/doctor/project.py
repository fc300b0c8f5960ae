"""What belongs to one project, each thing with its check: spec, media, quarantine."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

import pyarrow.compute as pc

from labelloop.errors import ConfigurationError
from tasks.clients.world import World, open_world

_PURGE_EVERY = timedelta(days=1)


class Project:
    """One project as its spec describes it; each method is a check."""

    def __init__(self, name: str) -> None:
        self._name = name

    @cached_property
    def _world(self) -> World:
        return open_world(self._name)

    def read_spec(self) -> str:
        """The spec is right."""
        return f"right, {self._world.spec.interface.media}, batches of {self._world.spec.sampling.batch_size}"

    def know_experts(self) -> str:
        """Somebody may rule where the spec has experts: nobody else's ruling counts."""
        wanted, named = self._world.spec.annotators.experts, len(self._world.settings.experts)
        if wanted and not named:
            raise ConfigurationError(
                f"the spec has {wanted} expert(s), but nobody is named",
                remedy="set LABELLOOP_EXPERTS to their e-mail addresses, or annotators.experts to 0",
            )
        return f"{named} named for {wanted} in the spec" if wanted else "none in the spec: conflicts wait"

    def list_media(self) -> str:
        """The bucket is there and can be listed."""
        media = self._world.spec.media
        first = next(self._world.media.list(media.bucket, media.prefix), None)
        return f"bucket {media.bucket} " + ("holds media" if first else "is there, nothing below the prefix yet")

    def look_for_expired(self) -> str:
        """No refused row is kept much beyond its time."""
        kept = self._world.table("quarantine").read(columns=["expires_at"]).column("expires_at")
        late = pc.sum(pc.less(kept, self._world.now() - _PURGE_EVERY)).as_py() or 0
        if late:
            raise ConfigurationError(
                f"{late} refused rows are kept beyond their time",
                remedy=f"run `labelloop run purge -p project={self._name}` and see why its schedule does not",
            )
        return f"{len(kept)} refused rows, none beyond their time"
