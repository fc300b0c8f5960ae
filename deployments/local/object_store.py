"""The S3 server of the local stack: SeaweedFS with every port on loopback and its buckets made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from deployments.local import owner_only, ports
from deployments.local.home import Home
from deployments.local.server import Server, inherited_environment
from labelloop.errors import UnavailableError

REGION = "us-east-1"
LAKE_BUCKET, VAULT_BUCKET, MEDIA_BUCKET = "labelloop-lake", "labelloop-vault", "media"
# By default weed writes its log, object names and all, into files of the temporary folder that anybody may read. What
# it logs while it still reads its flags goes there all the same: it gets a temporary folder of its own.
_WEED = (str(Path(sys.executable).with_name("weed")), "-logtostderr=true")


def object_store(home: Home) -> Server:
    """Return the S3 server of the home."""
    options = home.root / "seaweedfs.options"
    return Server(
        name="s3",
        url=home.url("s3"),
        health_path="/healthz",
        command=(*_WEED, "mini", f"-options={options}"),
        variables={
            "AWS_ACCESS_KEY_ID": home.credentials.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": home.credentials.s3_secret_key,
            **_temporary(home),
        },
        directory=home.root,
        boot_seconds=60,
        prepare=lambda: _write_options(home, options),
        settle=lambda: _make_buckets(home),
    )


def _temporary(home: Home) -> dict[str, str]:
    return {"TMPDIR": str(home.root / "s3" / "tmp")}


def _write_options(home: Home, options: Path) -> None:
    """Write the options file: the admin password must not show in the list of processes."""
    data = owner_only.make_directory(home.root / "s3")
    owner_only.make_directory(data / "tmp")
    settings = {
        "dir": data,
        "ip": ports.LOOPBACK,
        "ip.bind": ports.LOOPBACK,
        **{f"{part}.port": home.ports[part] for part in ("s3", "master", "volume", "filer", "admin")},
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        "webdav": "false",
        "admin.ui": "false",
        "admin.password": home.credentials.seaweedfs_admin_password,
        # Without this the filer shows every object to any local user, unasked for a credential.
        "disableHttp": "true",
        "master.telemetry": "false",
        # The volume server waits this long for idle connections at its end (30 s by default).
        "idleTimeout": 3,
        # Each bucket takes seven volumes; by default the free disk over 128 MB bounds how many there may be.
        "volume.max": 5000,
    }
    owner_only.write_text(options, "".join(f"{name}={value}\n" for name, value in settings.items()))


def _make_buckets(home: Home) -> None:
    """Make the buckets that are missing and keep versions of media, as owners of real media do."""
    master = f"{ports.LOOPBACK}:{home.ports['master']}.{home.ports['master'] + ports.GRPC_OFFSET}"
    creations = [f"s3.bucket.create -name {name}\n" for name in (LAKE_BUCKET, VAULT_BUCKET, MEDIA_BUCKET)]
    answer = subprocess.run(  # noqa: S603 (our own constants)
        (*_WEED, "shell", f"-master={master}"),
        input="".join(creations) + f"s3.bucket.versioning -name {MEDIA_BUCKET} -enable\n",
        env=inherited_environment() | _temporary(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "versioning set to Enabled" not in answer.stdout + answer.stderr:
        raise UnavailableError("the buckets could not be made", remedy=f"read {home.log('s3')}")
