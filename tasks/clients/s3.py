"""The connection to an S3 server and the one place where its errors become ours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from labelloop.errors import (
    AccessError,
    ConfigurationError,
    Conflict,
    ErasedError,
    InputError,
    LabelloopError,
    UnavailableError,
)
from tasks.clients.patience import LONGEST_WAIT, let_pass, seconds_asked
from tasks.clients.settings import Settings

_TRIES = 5
_REFUSED = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "403", "ExpiredToken"}
_RACES = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_ABSENT = {"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "404"}


def connect(settings: Settings) -> Any:
    """Return a boto3 S3 client with bounded, explicit retries and time limits.

    Raises:
        ConfigurationError: the endpoint or the region cannot be right.
    """
    keys = {}
    if settings.s3_access_key and settings.s3_secret_key:
        keys = {
            "aws_access_key_id": settings.s3_access_key.get_secret_value(),
            "aws_secret_access_key": settings.s3_secret_key.get_secret_value(),
        }
    config = Config(
        retries={"mode": "standard", "total_max_attempts": _TRIES},
        connect_timeout=5,
        read_timeout=settings.timeout_seconds,
        max_pool_connections=32,
        s3={"addressing_style": "path"} if settings.s3_endpoint else {},
    )
    try:
        client = boto3.client(
            "s3", endpoint_url=settings.s3_endpoint, region_name=settings.s3_region, config=config, **keys
        )
    except ValueError:
        raise ConfigurationError(
            "LABELLOOP_S3_ENDPOINT or LABELLOOP_S3_REGION is wrong", remedy="give a URL and a region's name"
        ) from None
    client.meta.events.register_first("needs-retry.s3", _wait_as_asked)
    return client


def storage_options(settings: Settings) -> dict[str, str]:
    """Return what the Delta writer needs to reach the S3 server of the settings."""
    options = {"AWS_REGION": settings.s3_region, "aws_conditional_put": "etag"}
    if settings.s3_endpoint:
        options |= {"AWS_ENDPOINT_URL": settings.s3_endpoint, "AWS_ALLOW_HTTP": "true"}
    if settings.s3_access_key and settings.s3_secret_key:
        options["AWS_ACCESS_KEY_ID"] = settings.s3_access_key.get_secret_value()
        options["AWS_SECRET_ACCESS_KEY"] = settings.s3_secret_key.get_secret_value()
    return options


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key of an `s3://` address.

    >>> split_uri("s3://lake/a/b")
    ('lake', 'a/b')
    """
    parts = urlsplit(uri, allow_fragments=False)
    if parts.scheme != "s3" or not parts.netloc:
        raise InputError("an address names no bucket of S3", remedy="write it as s3://bucket/key")
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").lstrip("/")


def _wait_as_asked(response: Any, attempts: int, **_: Any) -> None:
    """Let the time pass that `Retry-After` asks for, which boto3 does not read; its own short pause follows."""
    if response is not None and response[0].status_code >= 500 and attempts < _TRIES:
        asked = seconds_asked(response[0].headers)
        if 0 < asked <= LONGEST_WAIT:
            let_pass(asked, time.sleep)


@contextmanager
def s3_errors(what: str) -> Iterator[None]:
    """Turn errors of the S3 client inside the block into ours; `what` names the act, never a key."""
    try:
        yield
    except ClientError as error:
        raise _ours(error, what) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise AccessError(
            f"there are no credentials for S3 while {what}",
            remedy="set LABELLOOP_S3_ACCESS_KEY and LABELLOOP_S3_SECRET_KEY, or give this process a role",
        ) from None
    except BotoCoreError as error:
        raise UnavailableError(
            f"S3 did not answer while {what} ({type(error).__name__})",
            remedy="check LABELLOOP_S3_ENDPOINT and the network",
        ) from None


def _ours(error: ClientError, what: str) -> LabelloopError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _RACES:
        return Conflict(f"somebody else changed the object first while {what}", remedy="read it again and retry")
    if code in _REFUSED:
        return AccessError(
            f"S3 refused us while {what} ({code})", remedy="check the credentials and rights of this role"
        )
    if code == "NoSuchBucket":
        return InputError(f"the bucket does not exist while {what}", remedy="create it or mend the spec or setting")
    if code in _ABSENT:
        return ErasedError(f"the object is not there while {what} ({code})", remedy="sync again")
    return UnavailableError(f"S3 failed while {what} ({code})", remedy="retry later")
