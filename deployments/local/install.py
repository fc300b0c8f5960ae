"""What `make setup` does: the two environments, a browser, PostgreSQL. Needs Python 3.11 with pip, nothing else.

Does nothing for an environment that was made from the lock as it is now. Packages come by uv, itself
installed by pip from a lock: 9 s against pip's 128 s for the same packages. uv reads no pip settings, so
where only a mirror known to pip can be reached the same lock goes through pip.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
_LOCKS = CHECKOUT / "deployments" / "local"
_BOOTSTRAP = CHECKOUT / ".local" / "bootstrap"
_POSTGRESQL = Path("/usr/lib/postgresql")  # where Debian puts what is not for everybody's path
_CLUSTER_SETTINGS = Path("/etc/postgresql-common/createcluster.d")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ONLY_LOCKED = ("--require-hashes", "--no-deps", "-r")
_THIS_CHECKOUT = ("--no-deps", "--no-build-isolation", "-e", str(CHECKOUT))


def main() -> None:
    """Install what is missing or outdated; one setup at a time."""
    (CHECKOUT / ".local").mkdir(mode=0o700, exist_ok=True)
    with (CHECKOUT / ".local" / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        make_environment(".venv", CHECKOUT / "requirements.lock", [_THIS_CHECKOUT])
        make_environment(".venv-label-studio", _LOCKS / "label-studio.lock", [])
        find_browser()
        find_postgresql()


def make_environment(name: str, lock: Path, also: Sequence[Sequence[str]]) -> None:
    """Make the environment from the lock unless it was made from exactly this one; `also` installs on top."""
    environment = CHECKOUT / name
    stamp = environment / "made-from"
    digest = hashlib.sha256(lock.read_bytes() + (CHECKOUT / "pyproject.toml").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    _say(f"{name}: installing the packages of {lock.name}")
    if not (environment / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", "--without-pip", str(environment)])
    for packages in ((*_ONLY_LOCKED, str(lock)), *also):
        _install(environment / "bin" / "python", packages)
    stamp.write_text(digest)


def find_browser() -> None:
    """Install Debian's chromium where no browser is found and we may; else say what the browser tests need."""
    if not any(map(shutil.which, _BROWSERS)) and not _installed_by_apt("chromium"):
        _say("no chromium or chrome here: the browser tests need one (Debian: apt-get install chromium)")


def find_postgresql() -> None:
    """Install Debian's PostgreSQL where none is found and we may; else say which tests need it."""
    if postgresql_programs():
        return
    # Only the programs are wanted: without this file Debian would begin a database of its own and start it.
    if _may_install():
        _CLUSTER_SETTINGS.mkdir(parents=True, exist_ok=True)
        (_CLUSTER_SETTINGS / "labelloop.conf").write_text("create_main_cluster = false\n")
    if not _installed_by_apt("postgresql"):
        _say("no PostgreSQL here: the tests of Label Studio on it need one (Debian: apt-get install postgresql)")


def postgresql_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl, that of the newest version; None where there is none."""
    found = sorted(_POSTGRESQL.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _may_install() -> bool:
    return shutil.which("apt-get") is not None and os.geteuid() == 0


def _installed_by_apt(package: str) -> bool:
    """Install a package of Debian's where we may and return whether that went well."""
    if not _may_install():
        return False
    _say(f"{package}: installing it with apt-get")
    commands = (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package])
    return all(_succeeds(command) for command in commands)


def _install(python: Path, packages: Sequence[str]) -> None:
    """Install into the environment of `python`, by pip where uv cannot."""
    uv = _uv()
    if uv and _succeeds([str(uv), "pip", "install", "--python", str(python), *packages]):
        return
    _say("uv could not: the same with pip, which takes minutes")
    _run([sys.executable, "-m", "pip", "--python", str(python), "install", *packages])


def _uv() -> Path | None:
    """Return uv, installed first where it is missing; None when pip cannot find it."""
    if not _succeeds([sys.executable, "-m", "pip", "--version"], quietly=True):
        sys.exit("this Python has no pip: install it first (Debian: apt-get install python3-pip)")
    uv = _BOOTSTRAP / "bin" / "uv"
    target = ("--target", str(_BOOTSTRAP), "--upgrade", "-r", str(_LOCKS / "uv.lock"))
    if not uv.exists():
        _succeeds([sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", *target])
    return uv if uv.exists() else None


def _run(command: Sequence[str]) -> None:
    if not _succeeds(command):
        sys.exit(f"setup stopped: `{' '.join(command)}` failed, see above")


def _succeeds(command: Sequence[str], *, quietly: bool = False) -> bool:
    output = subprocess.DEVNULL if quietly else None
    return subprocess.run(command, stdout=output, stderr=output, check=False).returncode == 0  # noqa: S603


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
