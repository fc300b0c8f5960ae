"""Erasure of media on the real S3 server behind a network that breaks and a server that errs: no receipt too early.

Everything else is in memory, so that a run costs a second.
"""

from __future__ import annotations

import random
import uuid
from contextlib import suppress

import pytest

from labelloop.errors import UnavailableError
from tasks.clients.media import S3MediaStore
from tasks.clients.receipts import receipts
from tasks.clients.s3 import connect
from tasks.erasure.carry_out import carry_out_requests
from tests.builders.digits import SPEC
from tests.builders.erasure_requests import ask
from tests.builders.labelled_project import key_of, labelled_project
from tests.fakes.label_studio import MemoryLabelStudio
from tests.fakes.lake import MemoryLake
from tests.fakes.world import make_world
from tests.fault_proxy import FaultProxy, Traffic

pytestmark = pytest.mark.integration
SUBJECTS, ERASED = 5, 3


@pytest.fixture
def world(s3, tmp_path):
    """A labelled project whose media and published files lie on the real server; all else is in memory."""
    client, run = connect(s3), uuid.uuid4().hex[:8]
    for kind in ("media", "lake", "vault"):
        client.create_bucket(Bucket=f"{kind}-{run}")
    versions = {"Bucket": f"media-{run}", "VersioningConfiguration": {"Status": "Enabled"}}
    client.put_bucket_versioning(**versions)
    places = {"lake_uri": f"s3://lake-{run}", "vault_uri": f"s3://vault-{run}", "projects_dir": tmp_path}
    spec = SPEC.replace("bucket: media", f"bucket: media-{run}")
    clients = {"media": S3MediaStore(client), "label_studio": MemoryLabelStudio(), "lake": MemoryLake()}
    made = make_world(tmp_path, spec, settings=places, **clients)
    labelled_project(made, SUBJECTS)
    return made


def behind(s3, proxy):
    """The objects of the server as a client with little patience sees them through the proxy."""
    return S3MediaStore(connect(s3.model_copy(update={"s3_endpoint": proxy.url, "timeout_seconds": 1})))


@pytest.mark.parametrize(
    ("fault", "share", "what"),
    [
        ("slow down", 0.1, ""),
        ("lost", 0.1, ""),
        ("unanswered", 0.1, ""),
        ("silence", 0.02, ""),
        ("errors in 200", 0.01, "delete"),
        ("errors in 200", 0.1, "delete"),
        ("errors in 200", 0.5, "delete"),
        ("lie", 0.5, "delete"),
    ],
)
def test_a_receipt_means_that_every_version_is_gone(s3, world, fault, share, what, record_property):
    chance, direct = random.Random(5), world.media
    traffic = Traffic(lambda _, request: fault if what in request and chance.random() < share else None)
    with FaultProxy("S3", s3.s3_endpoint, traffic) as proxy:
        world.media = behind(s3, proxy)
        world.__dict__.pop("published", None)
        for number in range(ERASED):
            issued = len(receipts(world.lake))
            ask(world, subjects=[f"subject-{number:02d}"])
            for _ in range(30):
                with suppress(UnavailableError):
                    carry_out_requests(world)
                if len(receipts(world.lake)) > issued:
                    break
            assert len(receipts(world.lake)) == issued + 1
            assert direct.versions(world.spec.media.bucket, key_of(number)) == []
    told = f"{len(traffic.struck)} of {len(traffic.requests)} requests struck, {ERASED} receipts, 0 too early"
    record_property("figure", f"real S3, {share:.0%} {fault}: {told}")
