"""A Label Studio data directory with its migrations done and nobody in it, copied for each new stack.

The 390 migrations take most of a minute. The template holds no user, token or secret key: each stack
makes its own at its first boot.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deployments.local import owner_only
from deployments.local.home import CHECKOUT
from deployments.local.server import inherited_environment
from labelloop.errors import ConfigurationError, UnavailableError

LABEL_STUDIO_PYTHON = CHECKOUT / ".venv-label-studio" / "bin" / "python"
_LOCK_FILE = Path(__file__).with_name("label-studio.lock")
_TEMPLATES = CHECKOUT / ".local" / "template"


def require_label_studio() -> None:
    """Raise ConfigurationError when Label Studio is not installed."""
    if not LABEL_STUDIO_PYTHON.exists():
        raise ConfigurationError("Label Studio is not installed", remedy="run `make setup`")


def copy_template(data: Path, variables: Mapping[str, str], log: Path) -> None:
    """Make the data directory from the template; one that exists is left as it is.

    Raises:
        UnavailableError: the template could not be made; names the log file.
    """
    if data.exists():
        return
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(_template(variables, log), partial)
    owner_only.make_directory(partial)
    partial.rename(data)


def template_path(suffix: str = "") -> Path:
    """Return where the template of the installed version lies, or will; `suffix` tells other forms of it apart."""
    for directory in (_TEMPLATES.parent, _TEMPLATES):
        owner_only.make_directory(directory)
    return _TEMPLATES / (hashlib.sha256(_LOCK_FILE.read_bytes()).hexdigest()[:16] + suffix)


def _template(variables: Mapping[str, str], log: Path) -> Path:
    """Return the template for the installed version, made first where it is missing."""
    template = template_path()
    with (template.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two stacks may start at once
        if not template.exists():
            _make(template, variables, log)
    return template


def migrate(variables: Mapping[str, str], log: Path) -> None:
    """Bring the database that Label Studio's variables name up to date.

    Raises:
        UnavailableError: that failed; names the log file.
    """
    with log.open("ab") as output:
        ending = subprocess.run(  # noqa: S603 (our own constants)
            # `version` brings the database up to date and ends; the secret key is set so that none is written.
            (str(LABEL_STUDIO_PYTHON.with_name("label-studio")), "version"),
            env=inherited_environment() | {**variables, "SECRET_KEY": "only-while-migrating"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if ending.returncode:
        raise UnavailableError("Label Studio's database could not be made", remedy=f"read {log}")


def _make(template: Path, variables: Mapping[str, str], log: Path) -> None:
    with tempfile.TemporaryDirectory(dir=template.parent) as scratch:
        data = Path(scratch, "data")
        data.mkdir()
        migrate({**variables, "LABEL_STUDIO_BASE_DATA_DIR": str(data)}, log)
        data.rename(template)
