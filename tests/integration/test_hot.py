"""The real S3 server keeps the contract of hot state; leases hold between processes there."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid

import pytest

from labelloop.errors import AccessError, InputError, UnavailableError
from tasks.clients.hot import S3HotState
from tasks.clients.lease import hold, try_acquire
from tasks.clients.s3 import connect
from tests.contract_suites.hot_suite import HotSuite

pytestmark = pytest.mark.integration

HOLDER = """
import sys, time
from tasks.clients.hot import S3HotState
from tasks.clients.lease import hold
from tasks.clients.s3 import connect
from tasks.clients.settings import load_settings
with hold(S3HotState(connect(load_settings()), sys.argv[1]), "digits/sync", seconds=600, wait_seconds=0):
    print("held", flush=True)
    time.sleep(600)
"""
COUNTER = """
import sys
from tasks.clients.hot import S3HotState
from tasks.clients.lease import hold
from tasks.clients.s3 import connect
from tasks.clients.settings import load_settings
hot = S3HotState(connect(load_settings()), sys.argv[1])
for _ in range(5):
    with hold(hot, "digits/sync", seconds=30, wait_seconds=300) as lease:
        present = hot.get("n.json")
        lease.check()
        if present:
            hot.delete("n.json")  # a read and an unconditional write: safe only because nobody else is here
        hot.create("n.json", {"n": (present.value["n"] if present else 0) + 1})
"""


@pytest.fixture
def place(s3):
    return f"{s3.lake_uri}/tests/{uuid.uuid4().hex}"


@pytest.fixture
def hot(s3, place):
    return S3HotState(connect(s3), place)


class TestS3HotState(HotSuite):
    pass


def test_deleting_in_a_bucket_that_keeps_versions_leaves_none(s3):
    client, bucket = connect(s3), f"versions-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    hot = S3HotState(client, f"s3://{bucket}/hot")
    hot.replace("a.json", {"n": 2}, hot.create("a.json", {"n": 1}))
    hot.create("a.json2", {"n": 3})
    assert len(client.list_object_versions(Bucket=bucket, Prefix="hot/a.json")["Versions"]) == 3
    hot.delete("a.json")
    left = client.list_object_versions(Bucket=bucket)
    assert ([v["Key"] for v in left["Versions"]], left.get("DeleteMarkers", [])) == (["hot/a.json2"], [])


@pytest.mark.usefixtures("stack_environment")
def test_a_holder_that_was_killed_is_taken_over_without_waiting_for_the_expiry(hot, place):
    with _python(HOLDER, place, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with hold(hot, "digits/sync", seconds=30, wait_seconds=0) as lease:
        assert lease.token == 2


@pytest.mark.usefixtures("stack_environment")
def test_four_processes_under_one_lease_lose_no_count(hot, place):
    counters = [_python(COUNTER, place) for _ in range(4)]
    assert [counter.wait() for counter in counters] == [0, 0, 0, 0]
    assert hot.get("n.json").value == {"n": 20}
    assert try_acquire(hot, "digits/sync", seconds=30).token == 21


def test_a_wrong_secret_a_missing_bucket_and_a_silent_server_are_named(s3):
    wrong = s3.model_copy(update={"s3_secret_key": type(s3.s3_secret_key)("wrong")})
    with pytest.raises(AccessError, match="credentials"):
        S3HotState(connect(wrong), s3.lake_uri).get("a.json")
    with pytest.raises(InputError, match="bucket does not exist"):
        S3HotState(connect(s3), "s3://no-such-bucket").keys("")
    silent = s3.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(UnavailableError, match="LABELLOOP_S3_ENDPOINT"):
        S3HotState(connect(silent), s3.lake_uri).get("a.json")


def _python(script, *arguments, **options):
    return subprocess.Popen([sys.executable, "-c", script, *arguments], **options)
