"""The inbox on the real S3: what two runs at once make of its files, and that no version of them stays."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from labelloop.spec import load_spec
from tasks.clients.erasures import Erasures
from tasks.clients.refused_requests import RefusedFiles
from tasks.clients.s3 import connect
from tasks.clients.world import World
from tasks.erasure.inbox import take_up_inbox
from tests.builders.digits import SPEC

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "unversioned"])
def test_two_runs_at_once_take_up_each_file_once_and_leave_no_version_of_it(s3, tmp_path, versioned):
    client, bucket = connect(s3), f"inbox-{uuid.uuid4().hex[:8]}"
    client.create_bucket(Bucket=bucket)
    if versioned:
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    places = {f"{kind}_uri": f"s3://{bucket}/{kind}" for kind in ("lake", "vault")}
    world = World(s3.model_copy(update={**places, "projects_dir": tmp_path}), load_spec(SPEC))
    first = {"subjects": ["first"], "verification": "letter"}
    for name, text in {
        "one a%20é.json": json.dumps(first),
        "one.json": json.dumps(first),
        "many.csv": "verification,kind,identifier\n" + "".join(f"l{n},subject,s{n}\n" for n in range(10)),
        "wrong.json": "{",
    }.items():
        client.put_object(Bucket=bucket, Key=f"lake/inbox/erasure/digits/{name}", Body=b"{older")
        client.put_object(Bucket=bucket, Key=f"lake/inbox/erasure/digits/{name}", Body=text.encode())
    with ThreadPoolExecutor(2) as both:
        list(both.map(take_up_inbox, [world, world]))
    assert take_up_inbox(world) == {"requests": 0, "refused": 0, "left": 0}
    erasures = Erasures(world.hot, world.vault)
    subjects = sorted(erasures.identifiers(request).subjects[0] for request in erasures.all())
    assert subjects == ["first", "first", *(f"s{n}" for n in range(10))]
    assert len(RefusedFiles(world.hot, world.vault).all()) == 1
    assert list(world.media.keys_ever(bucket, "lake/inbox/")) == []
