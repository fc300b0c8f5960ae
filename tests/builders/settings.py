"""Settings of a world in memory."""

from __future__ import annotations

import base64
from typing import Any

from tasks.clients.settings import Settings, load_settings

KEY = base64.b64encode(bytes(range(32))).decode()


def make_settings(**given: Any) -> Settings:
    """Settings that touch nothing; the addresses name the fake buckets."""
    return load_settings(
        _env_file=None,
        **{
            "lake_uri": "s3://lake",
            "vault_uri": "s3://vault",
            "label_studio_url": "http://127.0.0.1:9",
            "label_studio_token": "token",
            "suppression_keys": {"k1": KEY},
            "receipt_key": KEY,
            **given,
        },
    )
