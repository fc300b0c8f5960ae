"""A loopback proxy before a server over HTTP: counts what clients ask and strikes where it is told to.

Several proxies share one `Traffic`, so that a request has one number whichever server it goes to. What a client sees
is what a network or a server does: a connection that breaks, an answer that is lost, 503, silence, errors in a 200.
"""

from __future__ import annotations

import http.client
import os
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

# What can happen to a request. `lost` never arrives, `unanswered` has its effect, as has what gets half an answer; so
# with the two kills.
FAULTS = (
    "lost",
    "unanswered",
    "half an answer",
    "kill before",
    "kill after",
    "slow down",
    "silence",
    "errors in 200",
    "lie",
)
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "expect", "content-length"}
_SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
_REFUSED = (
    b"<Error><Key>k</Key><VersionId>v</VersionId><Code>InternalError</Code><Message>try again</Message></Error>"
)
_DELETED = b'<?xml version="1.0" encoding="UTF-8"?><DeleteResult>%s</DeleteResult>'

Plan = Callable[[int, str], str | None]


class Traffic:
    """The numbered requests of a run through all proxies, and what happens to each."""

    def __init__(self, plan: Plan = lambda _number, _request: None) -> None:
        """Ask the plan, for the number of a request and what it is, which fault it meets."""
        self.requests: list[str] = []
        self.struck: list[str] = []
        self.victim: int | None = None
        self._plan, self._lock = plan, threading.Lock()

    def fault(self, request: str) -> str | None:
        """Number a request and return what is to happen to it."""
        with self._lock:
            self.requests.append(request)
            fault = self._plan(len(self.requests), request)
            if fault:
                self.struck.append(request)
            return fault

    def kill(self) -> None:
        """Kill the client as the kernel does."""
        if self.victim is not None:
            os.kill(self.victim, signal.SIGKILL)


class FaultProxy:
    """One server behind a proxy, for the time of a `with` block."""

    def __init__(self, name: str, upstream: str, traffic: Traffic) -> None:
        """Stand before `upstream`; its requests are numbered as `name METHOD path`."""
        handler = type("Handler", (_Handler,), {"place": name, "upstream": urlsplit(upstream), "traffic": traffic})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing of connections that a killed client has left."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet
    disable_nagle_algorithm = True
    place: str
    upstream: Any
    traffic: Traffic

    def _handle(self) -> None:
        body = self._body()
        fault = self.traffic.fault(f"{self.place} {self.command} {self.path}")
        if fault in ("lost", "kill before", "silence"):
            return self._break(kill=fault == "kill before", silent=fault == "silence")
        if fault == "slow down":
            return self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
        if fault in ("errors in 200", "lie"):
            answer = _DELETED % (_REFUSED if fault == "errors in 200" else b"")
            return self._answer(200, [("Content-Type", "application/xml")], answer)
        status, headers, answer = self._forward(body)
        if fault in ("unanswered", "kill after"):
            return self._break(kill=fault == "kill after", silent=False)
        return self._answer(status, headers, answer, half=fault == "half an answer")

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _handle

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _forward(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=120)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in _HOP_BY_HOP:
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.getheaders(), data

    def _answer(self, status: int, headers: list[tuple[str, str]], data: bytes, *, half: bool = False) -> None:
        self.send_response_only(status)
        kept = _HOP_BY_HOP - ({"content-length"} if self.command == "HEAD" else set())
        for name, value in headers:
            if name.lower() not in kept:
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if half else data)
        self.close_connection = self.close_connection or half

    def _break(self, *, kill: bool, silent: bool) -> None:
        """End the connection without an answer: at once, or after the client has hung up."""
        if kill:
            self.traffic.kill()
        if silent:
            self.rfile.read(1)
        self.close_connection = True

    def handle_expect_100(self) -> bool:
        """Let a client that asks first go on at once: it waits for this answer with its body."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log_message(self, *_: object) -> None:
        """Say nothing: keys stand in paths."""
