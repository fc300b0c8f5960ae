"""What all projects share, each thing with its check: settings, S3, lake, vault, suppression keys, Label Studio."""

from __future__ import annotations

from contextlib import suppress
from functools import cached_property
from uuid import uuid4

from labelloop.erasure.suppression import Suppressions
from labelloop.errors import ConfigurationError, Conflict, ErasedError, InputError
from tasks.clients.hot import HotState, S3HotState, hot_state
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_trust import OpenBucket, Organisation
from tasks.clients.lake import Lake
from tasks.clients.media import S3MediaStore
from tasks.clients.receipt_keys import signer
from tasks.clients.s3 import connect, split_uri, storage_options
from tasks.clients.settings import LONGEST_PRESIGN_MINUTES, Settings, load_settings
from tasks.clients.specs import read_spec
from tasks.clients.suppression_keys import keys_of, recognised

_LONGEST_LOCK = 4 * 3600  # seconds, half a working day


class Installation:
    """What all projects share: settings, servers, lake, vault and keys; each method is a check."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this process."""
        return load_settings()

    @cached_property
    def _s3(self) -> object:
        return connect(self.settings)

    @cached_property
    def _hot(self) -> HotState:
        return hot_state(self._s3, self.settings.lake_uri)

    def projects(self) -> list[str]:
        """Return the names of the specs there are; none without settings."""
        with suppress(ConfigurationError):
            return sorted(path.stem for path in self.settings.projects_dir.glob("*.yaml"))
        return []

    def read_settings(self) -> str:
        """Every setting is there, and has a form that can be used."""
        signer(self.settings)
        keys_of(self.settings)
        return "complete"

    def reach_s3(self) -> str:
        """The server answers and takes our credentials."""
        bucket, _ = split_uri(self.settings.lake_uri)
        with suppress(InputError):  # that a bucket is not there is an answer, too
            next(S3MediaStore(self._s3).list(bucket), None)
        return "answers and accepts our credentials"

    def write_lake(self) -> str:
        """Hot state can be written by conditional put."""
        return _prove_writes(self._hot)

    def write_vault(self) -> str:
        """The vault can be written by conditional put."""
        return _prove_writes(S3HotState(self._s3, self.settings.vault_uri))

    def recognise_keys(self) -> str:
        """Every suppression key that ever mattered is there and right."""
        lake, keys = Lake(self.settings.lake_uri, storage_options(self.settings)), keys_of(self.settings)
        in_force = Suppressions(lake.table("suppressions").read(), keys)
        lake_in_use = lake.table("references").version() is not None
        recognised(self._hot, keys, in_force.key_ids, lake_in_use=lake_in_use)
        return f"{', '.join(keys.key_ids)} recognised" if lake_in_use else "nothing was ever made with them"

    def reach_label_studio(self) -> str:
        """The server answers, takes our token and knows the experts."""
        experts = {email.casefold() for email in self.settings.experts}
        try:
            known = connect_label_studio(self.settings).user_ids(experts or {""})
        except ErasedError:
            raise ConfigurationError(
                "what answers is no Label Studio", remedy="check LABELLOOP_LABEL_STUDIO_URL"
            ) from None
        if len(known) < len(experts):
            raise ConfigurationError(
                f"{len(known)} of {len(experts)} experts have an account",
                remedy="invite them or mend LABELLOOP_EXPERTS",
            )
        return "answers and accepts the token"

    def share_no_organisation(self) -> str:
        """Nobody sees our projects beside those of others: Label Studio shows everybody all of an organisation."""
        declared = {read_spec(self.settings.projects_dir / f"{name}.yaml").media.bucket for name in self.projects()}
        foreign = {one.bucket for one in self._open_buckets} - declared
        people = self._organisation.members()
        if foreign:
            raise ConfigurationError(
                f"the {people} users of this organisation also open {len(foreign)} buckets that no spec here names",
                remedy="give each trust zone a Label Studio of its own; any key of an open bucket opens in any task",
            )
        return f"its {people} users open no bucket but those of the specs here"

    def open_media_briefly(self) -> str:
        """Every address that Label Studio hands out for a medium soon ends."""
        long = {one.ls_project for one in self._open_buckets if one.minutes > LONGEST_PRESIGN_MINUTES}
        if long:
            raise ConfigurationError(
                f"{len(long)} projects hand out addresses of media that open for over {LONGEST_PRESIGN_MINUTES} min",
                remedy=f"projects {sorted(long)[:5]}, Settings, Cloud Storage: shorten the pre-signed URLs",
            )
        return f"for {self.settings.label_studio_presign_minutes} minutes at most"

    def release_locks(self) -> str:
        """A task that somebody was shown and left is soon given to others; the server does not say when."""
        seconds = self.settings.label_studio_lock_seconds
        if seconds > _LONGEST_LOCK:
            raise ConfigurationError(
                f"a task that somebody left is kept from all others for {seconds / 3600:.0f} hours",
                remedy="set LABEL_STUDIO_TASK_LOCK_TTL=3600 there and LABELLOOP_LABEL_STUDIO_LOCK_SECONDS=3600 here",
            )
        return f"after {seconds / 60:.0f} minutes"

    @cached_property
    def _organisation(self) -> Organisation:
        return Organisation(self.settings)

    @cached_property
    def _open_buckets(self) -> list[OpenBucket]:
        return list(self._organisation.open_buckets())


def _prove_writes(hot: HotState) -> str:
    """Write, try to overwrite, delete: leases are worth nothing on a server that overwrites."""
    key = f"leases/doctor-{uuid4().hex}.json"
    hot.keys(key)  # a bucket must be there before: some servers would make it now, without a word
    hot.create(key, {})
    try:
        hot.create(key, {})
    except Conflict:
        return "can be written, by conditional put"
    finally:
        hot.delete(key)
    raise ConfigurationError(
        "the S3 server overwrites where it was told not to", remedy="use one that knows If-None-Match"
    )
