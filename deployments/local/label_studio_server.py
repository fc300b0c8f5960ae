"""The Label Studio server of the local stack: hardened, offline, first boot without a browser."""

from __future__ import annotations

import functools
import ipaddress
import urllib.parse
from pathlib import Path

from deployments.local import owner_only, ports
from deployments.local.home import Home
from deployments.local.label_studio_template import LABEL_STUDIO_PYTHON, copy_template, require_label_studio
from deployments.local.server import Server

_ENTRY = Path(__file__).with_name("label_studio_entry.py")

# Nothing leaves the machine: no usage figures, no version check, no error reports, no downloads.
OFFLINE = {
    "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
    "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
    "LABEL_STUDIO_SENTRY_DSN": "",
    "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
    "LABEL_STUDIO_CONVERTER_DOWNLOAD_RESOURCES": "false",
}

# One setting per security switch; docs/local-stack.md says what to set on a shared server instead.
HARDENING = {
    "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
    "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "true",
    "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "false",
    "LABEL_STUDIO_DEBUG_MODAL_EXCEPTIONS": "false",
    "LABEL_STUDIO_SHOW_TRACEBACK_FOR_EXPORT_CONVERTER": "false",
    "LABEL_STUDIO_MAX_SESSION_AGE": str(8 * 3600),
    "LABEL_STUDIO_ALLOWED_HOSTS": f"{ports.LOOPBACK},localhost",
    # Invited users get at their own token only this way: making users by invite link needs legacy tokens.
    "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
}

# A task is locked for whoever was shown it, and nothing but this and an answer unlocks it: a day, if nothing is said.
LOCK_SECONDS = 3600


def label_studio(home: Home) -> Server:
    """Return the Label Studio server of the home: SQLite, or PostgreSQL when the home knows its address."""
    data = home.root / "label-studio"
    database = home.credentials.label_studio_database_url
    address = ("--internal-host", ports.LOOPBACK, "--port", str(home.ports["label-studio"]))
    return Server(
        name="label-studio",
        url=home.url("label-studio"),
        health_path="/health",
        command=(str(LABEL_STUDIO_PYTHON), "-P", str(_ENTRY), "start", "--no-browser", *address),
        variables={
            **OFFLINE,
            **HARDENING,
            "LABEL_STUDIO_TASK_LOCK_TTL": str(LOCK_SECONDS),
            **_loopback_only(),
            **_first_user(home),
            **database_variables(database),
            "LABEL_STUDIO_BASE_DATA_DIR": str(data),
        },
        directory=home.root,
        # An empty PostgreSQL database is migrated at the first boot; SQLite comes from the template.
        boot_seconds=600,
        prepare=functools.partial(_prepare, home, data),
    )


def _prepare(home: Home, data: Path) -> None:
    require_label_studio()
    if home.credentials.label_studio_database_url:
        owner_only.make_directory(data)
    else:
        copy_template(data, OFFLINE, home.log("label-studio-template"))


def _first_user(home: Home) -> dict[str, str]:
    credentials = home.credentials
    return {
        "LABEL_STUDIO_HOST": home.url("label-studio"),
        "LABEL_STUDIO_USERNAME": credentials.label_studio_email,
        "LABEL_STUDIO_PASSWORD": credentials.label_studio_password,
        "LABEL_STUDIO_USER_TOKEN": credentials.label_studio_token,
        "SECRET_KEY": credentials.label_studio_secret_key,
    }


def _loopback_only() -> dict[str, str]:
    """Ban every address but loopback as target of the server's own requests.

    The default list bans loopback, where the local object store is. Replacing it by the complement of
    loopback keeps the guard on and makes it stricter: the server cannot reach out of the machine at all.
    """
    everything_else = [
        *ipaddress.IPv4Network("0.0.0.0/0").address_exclude(ipaddress.IPv4Network("127.0.0.0/8")),
        *ipaddress.IPv6Network("::/0").address_exclude(ipaddress.IPv6Network("::1/128")),
    ]
    return {
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS": ",".join(map(str, everything_else)),
    }


def database_variables(url: str) -> dict[str, str]:
    """Return Label Studio's variables (spelled POSTGRE_) for a `postgresql://` address, none for ""."""
    if not url:
        return {}
    parts = urllib.parse.urlsplit(url)
    return {
        "DJANGO_DB": "default",
        "POSTGRE_HOST": parts.hostname or ports.LOOPBACK,
        "POSTGRE_PORT": str(parts.port or 5432),
        "POSTGRE_NAME": parts.path.lstrip("/"),
        "POSTGRE_USER": urllib.parse.unquote(parts.username or ""),
        "POSTGRE_PASSWORD": urllib.parse.unquote(parts.password or ""),
    }
