"""No request is ever sent twice, and whatever fails is told in our words, without what was sent."""

from __future__ import annotations

import json
import logging
import socket
import struct
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest

from labelloop.errors import AccessError, Conflict, ErasedError, InputError, UnavailableError
from tasks.clients.label_studio_connection import Connection
from tasks.clients.label_studio_server import LabelStudioServer

TASKS = [{"data": {"unit": "0" * 32, "image": "s3://media/secret-name.png"}}]


class ScriptedServer(ThreadingHTTPServer):
    """Takes every request, counts it, and answers as it is told: a status and a body, or the end of the line."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, str]] = []
        self.credentials: list[str | None] = []
        self.sent: list[bytes] = []
        self.answer: tuple[int, str] | str = (200, "{}")
        self.answers: dict[str, tuple[int, str]] = {}  # to a path alone
        self.headers: dict[str, str] = {}  # of every answer
        self.waits: list[float] = []  # how long clients let it be
        self.half = False  # whether the line breaks in the middle of the body
        self.access_tokens: list[str] = []  # what is given for a personal access token, one after the other

    def next_answer(self, path: str) -> tuple[int, str]:
        if path == "/api/token/refresh/" and self.access_tokens:
            return 200, json.dumps({"access": self.access_tokens.pop(0)})
        return self.answers.get(path, self.answer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def _take(self):
        self.server.sent.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.server.requests.append((self.command, self.path))
        self.server.credentials.append(self.headers.get("Authorization"))
        self.close_connection = True
        if self.server.answer == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif self.server.answer == "silence":
            self.rfile.read(1)  # until the client hangs up
        elif self.server.answer != "hung up":
            status, body = self.server.next_answer(self.path)
            self.send_response(status)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) * (2 if self.server.half else 1)))
            self.end_headers()
            self.wfile.write(body.encode())

    do_GET = do_POST = do_PATCH = do_DELETE = _take

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with ScriptedServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server):
    return LabelStudioServer(Connection(server.url, "0" * 40, 30, wait=server.waits.append), None)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["hung up", "reset", "silence", "half a body"])
def test_an_import_whose_reply_is_lost_was_sent_exactly_once(server, end):
    if end == "half a body":
        server.half, server.answer = True, (201, '{"task_ids": [')
    else:
        server.answer = end
    client = LabelStudioServer(Connection(server.url, "0" * 40, 0.5 if end == "silence" else 30), None)
    with pytest.raises(UnavailableError, match="did not answer while importing tasks") as lost:
        client.import_tasks(1, TASKS)
    assert server.requests == [("POST", "/api/projects/1/import?return_task_ids=true")]
    assert "secret-name" not in str(lost.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, AccessError),
        (403, AccessError),
        (404, ErasedError),
        (408, UnavailableError),
        (409, Conflict),
        (500, UnavailableError),
        (503, UnavailableError),
    ],
)
def test_a_refused_import_was_sent_exactly_once_and_has_a_name(server, client, status, error):
    server.answer = (status, '{"detail": "s3://media/secret-name.png"}')
    with pytest.raises(error) as refused:
        client.import_tasks(1, TASKS)
    assert len(server.requests) == 1
    assert "secret-name" not in str(refused.value)


def test_what_a_server_did_not_take_is_sent_again_after_the_time_it_asks_for(server, client, caplog):
    answers = iter([(429, "{}"), (429, "{}")])
    server.headers = {"Retry-After": "7"}
    server.next_answer = lambda _: next(answers, (201, '{"task_ids": [7]}'))
    assert client.import_tasks(1, TASKS) == [7]
    assert len(server.requests) == 3
    assert len(set(server.sent)) == 1
    assert [7 <= waited <= 8.75 for waited in server.waits] == [True, True]
    assert caplog.messages == [f"a server takes no more requests for now: waiting {s:.0f} s" for s in server.waits]


def test_a_server_that_takes_nothing_is_left_alone_for_longer_each_time_and_then_told_of(server, client):
    server.answer = (429, "secret-name")
    with pytest.raises(
        UnavailableError, match=r"no more requests for now while importing tasks \(HTTP 429\);"
    ) as told:
        client.import_tasks(1, TASKS)
    assert len(server.requests) == 5
    assert [least <= waited <= 1.25 * least for least, waited in zip((1, 2, 4, 8), server.waits, strict=True)] == [
        True
    ] * 4
    assert "secret-name" not in str(told.value)


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_an_hour_is_not_waited_for(server, client, status):
    server.answer, server.headers = (status, "{}"), {"Retry-After": "3600"}
    with pytest.raises(UnavailableError, match="asks for 3600 s; run again after that"):
        client.project(1)
    assert (len(server.requests), server.waits) == (1, [])


def test_a_server_that_is_away_for_a_moment_is_read_again_and_nothing_that_may_be_done_is_repeated(server, client):
    answers = iter([(503, "{}")])
    server.headers = {"Retry-After": "3"}
    server.next_answer = lambda path: next(answers, (404, "{}")) if "import" not in path else (503, "{}")
    assert client.project(1) is None
    assert len(server.requests) == 2
    with pytest.raises(UnavailableError, match="asks for 3 s"):
        client.import_tasks(1, TASKS)
    assert len(server.requests) == 3


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 2])
def test_predictions_that_an_import_lost_are_sent_after_it(server, client, kept):
    """A server on SQLite whose database was locked says 201, and has the tasks without their predictions."""
    entries = [{"score": score, "model_version": "m1", "result": []} for score in (0.25, 0.5)]
    tasks = [task | {"predictions": [entry]} for task, entry in zip(TASKS * 2, entries, strict=True)]
    server.answers["/api/projects/1/import?return_task_ids=true"] = (
        201,
        json.dumps({"task_ids": [7, 8], "task_count": 2, "prediction_count": kept}),
    )
    server.answer = (201, '{"created": 2}')
    assert client.import_tasks(1, tasks) == [7, 8]
    later = [json.loads(body) for body in server.sent[1:]]
    assert later == ([] if kept else [[{**entry, "task": task} for task, entry in zip((7, 8), entries, strict=True)]])


def test_a_page_of_tasks_that_the_server_cannot_show_is_told_by_where_it_begins(server, client):
    page = [{"id": 7 + n} for n in range(500)]
    answers = iter([(200, json.dumps({"tasks": page, "total": 501, "total_annotations": 0, "total_predictions": 0}))])
    server.next_answer = lambda _: next(answers, (500, "{}"))
    with pytest.raises(UnavailableError, match="reading tasks above number 506"):
        client.task_ids(1)


def test_refused_fields_are_named_and_what_they_held_is_not(server, client):
    server.answer = (400, '{"validation_errors": {"title": ["secret-name is too long"]}}')
    with pytest.raises(InputError, match=r"HTTP 400, fields \['title'\]") as refused:
        client.create_project({"title": "secret-name"})
    assert "secret-name" not in str(refused.value)


def test_who_has_an_interface_refused_is_led_to_the_reason(server, client):
    server.answer = (400, '{"validation_errors": {"label_config": ["it is wrong"]}}')
    with pytest.raises(InputError, match="interface validate"):
        client.create_project({"title": "Zoo", "label_config": "<View/>"})


@pytest.mark.parametrize("answer", [(200, "<html>Welcome</html>"), (302, ""), (200, "\x00")])
def test_what_does_not_speak_as_label_studio_is_told_from_it(server, client, answer):
    server.answer = answer
    with pytest.raises(UnavailableError, match="does not speak as Label Studio"):
        client.change_project(1, {"title": "a title"})


CALLS = {
    "project": lambda client: client.project(1),
    "delete_task": lambda client: client.delete_task(1),
    "delete_view": lambda client: client.delete_view(1),
    "delete_predictions": lambda client: client.delete_predictions(1, [1]),
    "change_answer": lambda client: client.change_answer(1, list),
    "task_ids": lambda client: client.task_ids(1),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 404])
def test_a_page_that_a_proxy_shows_in_place_of_an_answer_is_never_taken_for_one(server, client, status, call):
    server.answer, server.headers = (status, "<html>Sign in</html>"), {"Content-Type": "text/html; charset=utf-8"}
    with pytest.raises(UnavailableError, match="whether a proxy before it shows a page of its own"):
        CALLS[call](client)


def test_an_address_that_is_none_is_told_without_a_traceback():
    client = LabelStudioServer(Connection("http://127.0.0.1:no-port", "0" * 40, 30), None)
    with pytest.raises(UnavailableError, match="LABELLOOP_LABEL_STUDIO_URL"):
        client.project(1)


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "Authentication token no longer valid: legacy token authentication has been disabled",
            "personal access token",
        ),
        ("API key has expired. Please obtain a new refresh token.", "has expired: make a new one"),
        ("Token is blacklisted", "was revoked: make a new one"),
        ("Authentication credentials were not provided.", "allows no personal access tokens"),
        ("Invalid token.", "allows this kind of token"),
    ],
)
def test_a_refused_token_is_told_with_what_to_do_about_it(server, client, said, remedy):
    server.answer = (401, json.dumps({"detail": said}))
    with pytest.raises(AccessError) as refused:
        client.project(1)
    assert remedy in refused.value.remedy
    assert "LABELLOOP_LABEL_STUDIO_TOKEN" in refused.value.remedy


def personal_token(kind: str, lives: timedelta) -> str:
    claims = {"token_type": kind, "exp": datetime.now(UTC) + lives}
    return jwt.encode(claims, "a key of the server, long enough", algorithm="HS256")


def test_a_personal_token_is_exchanged_for_an_access_token_once_and_again_when_that_has_expired(server):
    token = personal_token("refresh", timedelta(days=365))
    outdated, fresh = (personal_token("access", timedelta(seconds=seconds)) for seconds in (-1, 300))
    server.access_tokens, server.answer = [outdated, fresh], (404, "{}")
    client = LabelStudioServer(Connection(server.url, token, 30), None)
    for _ in range(3):
        client.project(1)
    asked = [path for _, path in server.requests]
    assert asked == ["/api/token/refresh/", "/api/projects/1/"] * 2 + ["/api/projects/1/"]
    used = [given for given, path in zip(server.credentials, asked, strict=True) if "projects" in path]
    assert used == [f"Bearer {outdated}", f"Bearer {fresh}", f"Bearer {fresh}"]


def test_an_access_token_is_renewed_in_time_whatever_the_clock_of_the_server_says(server):
    server.access_tokens = [personal_token("access", timedelta(hours=1)) for _ in range(2)]
    server.answer, moments = (404, "{}"), iter((0, 200, 250))
    token = personal_token("refresh", timedelta(days=365))
    client = LabelStudioServer(Connection(server.url, token, 30, clock=lambda: next(moments)), None)
    for _ in range(3):
        client.project(1)
    asked = [path for _, path in server.requests]
    assert asked == ["/api/token/refresh/", *["/api/projects/1/"] * 2, "/api/token/refresh/", "/api/projects/1/"]


def test_blanks_around_a_token_are_no_part_of_it(server):
    server.answer = (404, "{}")
    assert LabelStudioServer(Connection(server.url, f" {'0' * 40}\n", 30), None).project(1) is None
    assert server.credentials == ["Token " + "0" * 40]


@pytest.mark.parametrize("token", ["", "a\nb", "schlüssel"])
def test_what_can_be_no_token_is_told_without_it(server, token):
    with pytest.raises(AccessError, match="the token of Label Studio is none") as refused:
        LabelStudioServer(Connection(server.url, token, 30), None).project(1)
    assert "LABELLOOP_LABEL_STUDIO_TOKEN" in refused.value.remedy
    assert server.requests == []
    assert not token or token not in str(refused.value)


def test_an_expired_personal_token_is_told_before_anything_is_asked(server):
    client = LabelStudioServer(Connection(server.url, personal_token("refresh", timedelta(days=-1)), 30), None)
    with pytest.raises(AccessError, match="has expired: make a new one"):
        client.project(1)
    assert server.requests == []


def test_requests_leave_no_address_in_the_log(server, client, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.INFO)
    server.answer = (404, "{}")
    assert client.project(1) is None
    assert server.url not in caplog.text
