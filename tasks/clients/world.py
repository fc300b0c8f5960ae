"""The world a stage works in: every client, the clock and the id generator, plugged together in one place.

Stages get a `World` as an argument, so tests hand them another one.
"""

from __future__ import annotations

import copy
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path

from labelloop.errors import InputError, SpecError
from labelloop.identity import KeyRing
from labelloop.review_project import reviewing_spec
from labelloop.spec import ProjectSpec
from tasks.clients.expectations import GreatExpectations, RowRules
from tasks.clients.hot import HotState, S3HotState, hot_state
from tasks.clients.label_studio import LabelStudio, connect_label_studio
from tasks.clients.label_studio_database import open_postgresql, open_sqlite
from tasks.clients.label_studio_disk import LabelStudioDisk, LabelStudioLog
from tasks.clients.label_studio_orphans import Orphans
from tasks.clients.lake import Lake, LakeTable
from tasks.clients.media import S3MediaStore
from tasks.clients.media_store import MediaStore
from tasks.clients.published import Published
from tasks.clients.s3 import connect, storage_options
from tasks.clients.settings import Settings, load_settings
from tasks.clients.specs import read_spec
from tasks.clients.suppression_keys import keys_of


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass
class World:
    """One project's outside; clients connect when first used."""

    settings: Settings
    spec: ProjectSpec
    now: Callable[[], datetime] = _now
    new_id: Callable[[], str] = _new_id
    wait: Callable[[float], None] = time.sleep

    @property
    def project(self) -> str:
        """Name of the labelling project."""
        return self.spec.name

    def neighbours(self) -> list[World]:
        """Return this world, that of every other project of the lake, and of those that review them.

        They share clients.
        """
        paths = sorted(self.settings.projects_dir.glob("*.yaml"))
        specs = [read_spec(path) for path in paths]
        worlds = [self, *(self._of(spec) for spec in specs if spec.name != self.project)]
        return [*worlds, *(reviewing for reviewing in (each.reviewing() for each in worlds) if reviewing.is_there())]

    def reviewing(self) -> World:
        """Return the world of the project in which experts rule on this one."""
        return self._of(reviewing_spec(self.spec))

    def is_there(self) -> bool:
        """Return whether the project has units."""
        return self.table("units").version() is not None

    def _of(self, spec: ProjectSpec) -> World:
        other = copy.copy(self)
        other.spec = spec
        other.__dict__.pop("published", None)  # the one client that belongs to a project
        return other

    def table(self, name: str) -> LakeTable:
        """Return a table of the lake, or of this project in it."""
        return self.lake.table(name, self.project)

    @cached_property
    def _s3(self) -> object:
        return connect(self.settings)

    @cached_property
    def lake(self) -> Lake:
        """The Delta tables."""
        return Lake(self.settings.lake_uri, storage_options(self.settings))

    @cached_property
    def hot(self) -> HotState:
        """Leases, rounds, watermarks, pointers."""
        return hot_state(self._s3, self.settings.lake_uri)

    @cached_property
    def vault(self) -> HotState:
        """Keys of erasure plans, apart from the lake."""
        return S3HotState(self._s3, self.settings.vault_uri)

    @cached_property
    def keys(self) -> KeyRing:
        """What turns identifiers into digests; not yet verified against the check values."""
        return keys_of(self.settings)

    @cached_property
    def row_rules(self) -> RowRules:
        """The judge of rows."""
        return GreatExpectations()

    @cached_property
    def media(self) -> MediaStore:
        """The owner's buckets, and the published files of the lake."""
        return S3MediaStore(self._s3)

    def media_at(self, endpoint: str | None) -> MediaStore:
        """Return the objects of another S3 server that takes the same credentials; None is that of the media."""
        if endpoint is None:
            return self.media
        return S3MediaStore(connect(self.settings.model_copy(update={"s3_endpoint": endpoint})))

    @cached_property
    def label_studio_disk(self) -> LabelStudioDisk | None:
        """The data folder of Label Studio, where this process can reach it."""
        folder = self.settings.label_studio_data_dir
        return LabelStudioDisk(folder) if folder else None

    @cached_property
    def label_studio_log(self) -> LabelStudioLog | None:
        """The log of Label Studio, where this process can reach it."""
        path = self.settings.label_studio_log
        return LabelStudioLog(path) if path else None

    @cached_property
    def orphans(self) -> Orphans | None:
        """The tasks of no project in Label Studio's database, where this process can reach it."""
        url, folder = self.settings.label_studio_database_url, self.settings.label_studio_data_dir
        if url:
            return Orphans(partial(open_postgresql, url.get_secret_value()))
        path = folder / "label_studio.sqlite3" if folder else None
        return Orphans(partial(open_sqlite, path)) if path and path.is_file() else None

    @cached_property
    def published(self) -> Published:
        """Training sets, models and reports of this project."""
        return Published(self.media, f"{self.settings.lake_uri.rstrip('/')}/projects/{self.project}/published")

    @cached_property
    def label_studio(self) -> LabelStudio:
        """The annotators' server."""
        return connect_label_studio(self.settings)


def spec_path(settings: Settings, project: str) -> Path:
    """Return the file of a project's spec.

    Raises:
        InputError: the name is no project name, or there is no such file.
    """
    path = settings.projects_dir / f"{project}.yaml"
    if not project.replace("-", "").isalnum() or not path.is_file():
        known = sorted(p.stem for p in settings.projects_dir.glob("*.yaml"))
        raise InputError(f"there is no project {project!r}", remedy=f"one of {known}, or `labelloop init`")
    return path


def open_world(project: str) -> World:
    """Return the world of a project as this process' settings describe it.

    Raises:
        SpecError: the spec in the project's file is wrong, or is that of another project.
    """
    settings = load_settings()
    spec = read_spec(spec_path(settings, project))
    if spec.name != project:
        raise SpecError(f"{project}.yaml is the spec of {spec.name!r}", remedy="give file and `name` the same word")
    return World(settings, spec)
