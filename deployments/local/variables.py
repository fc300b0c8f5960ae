"""The variables through which the pipeline finds the servers: what `.local/env` holds."""

from __future__ import annotations

from deployments.local.home import DATABASE_URL_VARIABLE, Home
from deployments.local.label_studio_server import LOCK_SECONDS
from deployments.local.object_store import LAKE_BUCKET, REGION, VAULT_BUCKET

# Results are JSON because pickle would run what it loads; nothing is reported to anybody.
PREFECT_SWITCHES = {
    "DO_NOT_TRACK": "1",
    "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # A killed run is noticed after two missed beats; the default of 180 s would hide it for minutes.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # A flow without a server starts its own, which takes longer than the default of 20 s on a busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
}


def prefect_variables(home: Home) -> dict[str, str]:
    """Return what every Prefect process of the home gets: server, worker and flows run by hand."""
    return {
        **PREFECT_SWITCHES,
        "PREFECT_API_URL": f"{home.url('prefect')}/api",
        "PREFECT_API_AUTH_STRING": home.credentials.prefect_auth_string,
        "PREFECT_HOME": str(home.root / "prefect"),
    }


def pipeline_variables(home: Home) -> dict[str, str]:
    """Return every variable the pipeline needs to work on the home."""
    credentials = home.credentials
    return {
        **prefect_variables(home),
        "GX_ANALYTICS_ENABLED": "false",
        "LABELLOOP_S3_ENDPOINT": home.url("s3"),
        "LABELLOOP_LABEL_STUDIO_DATA_DIR": str(home.root / "label-studio"),
        "LABELLOOP_LABEL_STUDIO_LOG": str(home.log("label-studio")),
        DATABASE_URL_VARIABLE: credentials.label_studio_database_url,
        "LABELLOOP_S3_ACCESS_KEY": credentials.s3_access_key,
        "LABELLOOP_S3_SECRET_KEY": credentials.s3_secret_key,
        "LABELLOOP_S3_REGION": REGION,
        "LABELLOOP_LAKE_URI": f"s3://{LAKE_BUCKET}",
        "LABELLOOP_VAULT_URI": f"s3://{VAULT_BUCKET}",
        "LABELLOOP_LABEL_STUDIO_URL": home.url("label-studio"),
        "LABELLOOP_LABEL_STUDIO_LOCK_SECONDS": str(LOCK_SECONDS),
        "LABELLOOP_LABEL_STUDIO_TOKEN": credentials.label_studio_token,
        "LABELLOOP_SUPPRESSION_KEYS": credentials.suppression_keys,
        "LABELLOOP_RECEIPT_KEY": credentials.receipt_key,
    }


def logins(home: Home) -> str:
    """Return addresses, users and passwords as text for a person."""
    credentials = home.credentials
    return (
        f"Label Studio  {home.url('label-studio')}\n"
        f"  user {credentials.label_studio_email}\n  password {credentials.label_studio_password}\n"
        f"Prefect  {home.url('prefect')}\n  password {credentials.prefect_auth_string}\n"
        f"S3  {home.url('s3')}\n"
        f"  access key {credentials.s3_access_key}\n  secret key {credentials.s3_secret_key}\n"
    )
