"""A busy S3 server is given the time it asks for, and asked a bounded number of times."""

from __future__ import annotations

import io

import pytest
from botocore.awsrequest import AWSResponse, HeadersDict

from labelloop.errors import UnavailableError
from tasks.clients.s3 import connect, s3_errors
from tests.builders.settings import make_settings

pytestmark = pytest.mark.slow


class _Body(io.BytesIO):
    def stream(self):
        yield self.read()


@pytest.fixture
def waits(monkeypatch):
    """How long the client waited, without waiting."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    return waits


def busy(times: int, asked: str):
    """A client of a server that answers 503 so many times before it does what is asked; and all it was asked."""
    client = connect(make_settings(s3_endpoint="http://127.0.0.1:9", s3_access_key="none", s3_secret_key="none"))
    requests = []

    def answer(request, **_):
        requests.append(request.method)
        is_busy = len(requests) <= times
        headers = HeadersDict({"Retry-After": asked} if is_busy else {})
        return AWSResponse(request.url, 503 if is_busy else 200, headers, _Body())

    client.meta.events.register("before-send.s3", answer)
    return client, requests


def test_a_server_that_asks_for_time_is_given_it(waits):
    client, requests = busy(2, "30")
    client.put_object(Bucket="lake", Key="k", Body=b"")
    assert requests == ["PUT"] * 3
    assert waits.count(30.0) == 2


@pytest.mark.parametrize(("asked", "waited"), [("30", 4), ("3600", 0)])
def test_a_server_that_stays_busy_is_told_of(waits, asked, waited):
    client, requests = busy(100, asked)
    with pytest.raises(UnavailableError), s3_errors("writing"):
        client.put_object(Bucket="lake", Key="k", Body=b"")
    assert len(requests) == 5
    assert [wait for wait in waits if wait >= 30] == [30.0] * waited
