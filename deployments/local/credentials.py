"""The random credentials of a stack, made at its first start and kept in an owner-only file."""

from __future__ import annotations

import base64
import dataclasses
import json
import secrets
from pathlib import Path

from deployments.local import owner_only


def _word() -> str:
    return secrets.token_urlsafe(24)


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _suppression_keys() -> str:
    return json.dumps({"k1": _key()})


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What the servers of one stack are opened with; `label_studio_database_url` is "" for SQLite."""

    s3_access_key: str = dataclasses.field(default_factory=lambda: secrets.token_hex(10), repr=False)
    s3_secret_key: str = dataclasses.field(default_factory=_word, repr=False)
    seaweedfs_admin_password: str = dataclasses.field(default_factory=_word, repr=False)
    label_studio_email: str = "admin@labelloop.local"
    label_studio_password: str = dataclasses.field(default_factory=_word, repr=False)
    # Label Studio's legacy tokens are 40 characters long.
    label_studio_token: str = dataclasses.field(default_factory=lambda: secrets.token_hex(20), repr=False)
    label_studio_secret_key: str = dataclasses.field(default_factory=_word, repr=False)
    label_studio_database_url: str = dataclasses.field(default="", repr=False)
    prefect_auth_string: str = dataclasses.field(default_factory=lambda: f"admin:{_word()}", repr=False)
    suppression_keys: str = dataclasses.field(default_factory=_suppression_keys, repr=False)
    receipt_key: str = dataclasses.field(default_factory=_key, repr=False)


def open_credentials(path: Path, label_studio_database_url: str = "") -> Credentials:
    """Return the credentials in the file, made and written first where they are missing.

    A database address given once is remembered, so that a later start without it does not silently
    fall back to an empty SQLite database.
    """
    known = json.loads(path.read_text()) if path.exists() else {}
    if label_studio_database_url:
        known["label_studio_database_url"] = label_studio_database_url
    credentials = Credentials(**known)
    if dataclasses.asdict(credentials) != known or label_studio_database_url:
        owner_only.write_text(path, json.dumps(dataclasses.asdict(credentials), indent=1))
    return credentials
