"""The fault proxy lets everything through as it is but what it is told to strike."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

import pytest

from tests.fault_proxy import FaultProxy, Traffic


@pytest.fixture
def upstream():
    """A server that repeats what it is told, and the list of what it was told."""
    told = []

    class Echo(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.path, self.headers["X-Odd"], body))
            self.send_response(201)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", told
    server.shutdown()
    server.server_close()


def put(proxy, path="/a%20b?x", body=b"12", timeout=5):
    connection = http.client.HTTPConnection(urlsplit(proxy.url).netloc, timeout=timeout)
    try:
        connection.request("PUT", path, body, {"X-Odd": "ü".encode().decode("latin-1")})
        answer = connection.getresponse()
        return answer.status, answer.getheader("ETag"), answer.read()
    finally:
        connection.close()


def test_a_request_goes_through_byte_for_byte_and_has_a_number(upstream):
    traffic = Traffic()
    with FaultProxy("S3", upstream[0], traffic) as proxy:
        assert put(proxy) == (201, '"1"', b"12")
        assert put(proxy, body=iter([b"1", b"2"])) == (201, '"1"', b"12")
    assert upstream[1] == [("/a%20b?x", "ü".encode().decode("latin-1"), b"12")] * 2
    assert traffic.requests == ["S3 PUT /a%20b?x"] * 2


@pytest.mark.parametrize(("fault", "arrived"), [("lost", 1), ("unanswered", 2)])
def test_a_broken_connection_is_seen_on_either_side_of_the_effect(upstream, fault, arrived):
    with FaultProxy("S3", upstream[0], Traffic(lambda number, _: fault if number == 2 else None)) as proxy:
        put(proxy)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            put(proxy)
    assert len(upstream[1]) == arrived


def test_half_an_answer_to_what_was_done_is_seen_as_such(upstream):
    with (
        FaultProxy("S3", upstream[0], Traffic(lambda *_: "half an answer")) as proxy,
        pytest.raises(http.client.IncompleteRead),
    ):
        put(proxy)
    assert len(upstream[1]) == 1


def test_silence_lasts_until_the_client_gives_up(upstream):
    with FaultProxy("S3", upstream[0], Traffic(lambda *_: "silence")) as proxy, pytest.raises(TimeoutError):
        put(proxy, timeout=0.1)
    assert upstream[1] == []


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [("slow down", 503, b"SlowDown"), ("errors in 200", 200, b"InternalError"), ("lie", 200, b"DeleteResult")],
)
def test_a_server_that_answers_and_does_nothing(upstream, fault, status, text):
    with FaultProxy("S3", upstream[0], Traffic(lambda *_: fault)) as proxy:
        answer = put(proxy)
    assert (answer[0], text in answer[2], upstream[1]) == (status, True, [])
