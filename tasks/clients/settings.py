"""Where things live: the only place that reads the environment.

Variables are `LABELLOOP_<FIELD>`; `.env` and the local stack's `.local/env` are read when present. What a person
changes from run to run is a flow parameter, not a setting.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from labelloop.errors import ConfigurationError

LONGEST_PRESIGN_MINUTES = 15


class RunnerSettings(BaseSettings):
    """What is read before anything else is: flows have their task runner when they are imported."""

    model_config = SettingsConfigDict(
        env_prefix="LABELLOOP_",
        env_file=(".env", ".local/env"),
        env_file_encoding="utf-8",
        extra="ignore",
        frozen=True,
    )

    dask_scheduler: str | None = Field(
        default=None,
        pattern=r"^(tcp|tls)://",
        description="address of a private Dask scheduler that works on shards; empty: threads of this process",
    )


class Settings(RunnerSettings):
    """Addresses, credentials and keys of one installation."""

    s3_endpoint: str | None = Field(default=None, description="URL of an S3-compatible server; empty for AWS")
    s3_access_key: SecretStr | None = Field(default=None, description="empty: the usual AWS credential chain")
    s3_secret_key: SecretStr | None = Field(default=None, description="belongs to the access key")
    s3_region: str = Field(default="us-east-1", description="region of the buckets")
    lake_uri: str = Field(pattern=r"^s3://", description="s3:// address of the lake and the hot state")
    vault_uri: str = Field(pattern=r"^s3://", description="s3:// address, apart from the lake, of erasure plan keys")
    erasure_inbox_uri: str | None = Field(
        default=None, pattern=r"^s3://", description="s3:// address erasure requests are put at; empty: in the lake"
    )
    officer: str | None = Field(default=None, description="name or role of who decides about erasures by command")
    label_studio_url: str = Field(pattern=r"^https?://", description="base URL of Label Studio")
    label_studio_token: SecretStr = Field(description="access token of the pipeline's Label Studio user")
    label_studio_data_dir: Path | None = Field(
        default=None, description="data folder of Label Studio, if this machine has it: erasure looks there as well"
    )
    label_studio_database_url: SecretStr | None = Field(
        default=None,
        description="postgresql:// address of Label Studio's database, if it is not SQLite in the data folder: "
        "erasure looks there for rows that its API does not show",
    )
    label_studio_log: Path | None = Field(
        default=None, description="log file of Label Studio, if this machine has it: erasure blanks lines there"
    )
    label_studio_presign_minutes: int = Field(
        default=LONGEST_PRESIGN_MINUTES,
        ge=1,
        le=LONGEST_PRESIGN_MINUTES,
        description="how long an address that Label Studio gives a browser opens a medium",
    )
    label_studio_lock_seconds: int = Field(
        default=86_400,
        ge=1,
        description="TASK_LOCK_TTL of Label Studio, which it does not tell: how long a task is kept for who left it",
    )
    feedback_dir: Path | None = Field(
        default=None,
        description="folder for feedback to annotators, a private file each, named by pseudonym; empty: none",
    )
    notification_block: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]+/[a-z0-9-]+$",
        description="TYPE/NAME of the Prefect block (slack-webhook/leads) that calls people if agreement is low",
    )
    experts: tuple[str, ...] = Field(
        default=(), description="emails of Label Studio users whose ruling wins, JSON list"
    )
    projects_dir: Path = Field(default=Path("deployments/projects"), description="folder of labelling project specs")
    suppression_keys: dict[str, SecretStr] = Field(description="JSON object: key id to base64 of at least 32 bytes")
    suppression_key_id: str = Field(default="k1", description="the key that new identifiers are hashed with")
    receipt_key: SecretStr = Field(description="base64 of 32 bytes: private Ed25519 key; signs erasure receipts")
    lease_seconds: float = Field(default=60, gt=1, le=3600, description="how long a dead run can hold a stage")
    lease_wait_seconds: float = Field(default=300, ge=0, description="how long a run waits for another on its stage")
    shard_rows: int = Field(
        default=500_000, ge=1, description="references that are scored and pre-selected from at a time"
    )
    timeout_seconds: float = Field(default=60, gt=0, description="limit of one request to a server")


def load_settings(**given: Any) -> Settings:
    """Return the settings of this process.

    Args:
        **given: fields that override the environment, for tests.

    Raises:
        ConfigurationError: a variable is missing or wrong; the message names each, without its value.
    """
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = [f"LABELLOOP_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        raise ConfigurationError(
            "settings are incomplete or wrong: " + "; ".join(problems),
            remedy="see .env.example, or run `labelloop up`",
        ) from None
