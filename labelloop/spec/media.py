"""The media section of a spec: where objects lie, how they are found, which of them count, whose they are."""

from __future__ import annotations

import re
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from labelloop.spec.sections import Section

_S3 = r"^s3://[^/]+/.*"
_TYPE = re.compile(r"[a-z]+/(\*|[a-z0-9.+*-]+)")


class Source(Section):
    """How the objects are found."""

    kind: Literal["listing", "inventory", "reference_file"] = Field(
        default="listing", description="the live bucket, its S3 Inventory, or a file that names objects and their ids"
    )
    uri: str | None = Field(
        default=None,
        pattern=_S3,
        description="s3:// address of the inventory configuration's folder, or of the .parquet, .csv or .jsonl file",
    )
    max_age_days: float = Field(default=8, gt=0, description="an older inventory stops the run")

    @model_validator(mode="after")
    def _a_uri_where_one_is_read(self) -> Self:
        if (self.kind == "listing") != (self.uri is None):
            wanted = "takes no uri" if self.uri else "needs a uri, an s3:// address"
            raise ValueError(f"kind {self.kind!r} {wanted}")
        return self


class IdPlace(Section):
    """Where an id of an object is written: in exactly one place. A reference file's own ids come first."""

    group: ClassVar[str]

    key: str | None = Field(default=None, description="in the key: a regular expression with a named group")
    tag: str | None = Field(default=None, min_length=1, max_length=128, description="in the object tag of this name")
    metadata: str | None = Field(default=None, min_length=1, description="in the user metadata of this name")
    sidecar: str | None = Field(
        default=None, min_length=1, description="in <key>.json, at this field; dots lead into objects: person.id"
    )
    optional: bool = Field(
        default=False,
        description="objects whose tag, metadata or sidecar lacks the id come in; else they wait in quarantine",
    )

    @model_validator(mode="after")
    def _exactly_one_place(self) -> Self:
        given = [name for name in ("key", "tag", "metadata", "sidecar") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{len(given)} places are given; give one of key, tag, metadata, sidecar")
        return self

    @field_validator("key")
    @classmethod
    def _the_pattern_has_its_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groupindex
        except re.error as error:
            raise ValueError(f"no regular expression ({error.msg}); mend it") from None
        if cls.group not in groups:
            raise ValueError(f"has no group `{cls.group}`; write (?P<{cls.group}>...)")
        return pattern


class SubjectId(IdPlace):
    """Where the data subject's id is written."""

    group: ClassVar[str] = "subject"


class PlatformId(IdPlace):
    """Where the id is written that the platform an object came from gave it."""

    group: ClassVar[str] = "id"

    platform: str = Field(pattern=r"^[^:]+$", description="name of the platform; large and small letters are one")


class Replica(Section):
    """A bucket that the server copies the media to; a copy has the key of its original."""

    bucket: str = Field(min_length=3, max_length=63)
    endpoint: str | None = Field(
        default=None, pattern=r"^https?://", description="URL of its S3 server; empty for that of the media"
    )


class Media(Section):
    """Where the media lies."""

    bucket: str = Field(min_length=3, max_length=63)
    prefix: str = Field(default="", description="only keys that start with it; empty for the whole bucket")
    source: Source = Source()
    include: tuple[str, ...] = Field(default=("*",), description="globs over the key below the prefix")
    exclude: tuple[str, ...] = ()
    types: tuple[str, ...] = Field(
        default=(), description="media types that count, such as image/png or image/*; empty: all the interface shows"
    )
    min_bytes: int = Field(default=1, ge=1, description="smaller objects are quarantined")
    max_bytes: int = Field(default=100_000_000, gt=0, description="larger objects are quarantined")
    subject_id: SubjectId | None = Field(default=None, description="whom an object shows; needed to erase a person")
    platform_id: PlatformId | None = Field(default=None, description="what its platform calls an object")
    replicas: tuple[Replica, ...] = Field(default=(), description="erased with the media; name every copy there is")
    missing_share_limit: float = Field(
        default=0.2, ge=0, le=1, description="more missing than this share stops the run: wrong prefix, lost rights"
    )
    changed_share_limit: float = Field(
        default=0.5, ge=0, le=1, description="more objects with other bytes than this share stop the run"
    )
    missing_answers: Literal["keep", "withdraw"] = Field(
        default="keep", description="answers about media that is missing: wait for its return, or go with it"
    )
    content_digests: bool = Field(
        default=False,
        description="read new objects whole and keep a keyed digest of their bytes; tells moved from new ones "
        "where the bucket keeps no versions",
    )

    @model_validator(mode="after")
    def _some_size_is_allowed(self) -> Self:
        if self.min_bytes > self.max_bytes:
            raise ValueError(f"min_bytes is {self.min_bytes}, above max_bytes {self.max_bytes}; lower it")
        return self

    @field_validator("types")
    @classmethod
    def _types_look_like_types(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [one for one in types if not _TYPE.fullmatch(one)]
        if wrong:
            raise ValueError(f"{wrong} are no media types; write image/png or image/*")
        return types

    @property
    def subject_pattern(self) -> str | None:
        """The regular expression over keys, when that is where the data subject's id is written."""
        return self.subject_id.key if self.subject_id else None
