"""People of a Label Studio server: accounts by invite link, and an annotator's session.

The pipeline itself needs neither; the demo and the tests annotate through them as a person would.
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urljoin

import httpx

from labelloop.errors import AccessError, Conflict, ErasedError, InputError
from labelloop.workbench import RemoteTask, task_from_wire
from tasks.clients.hot import Json
from tasks.clients.label_studio_connection import Connection, http_client
from tasks.clients.label_studio_errors import our_errors


class AnnotatorSession:
    """One person at work through the interface the labelling page itself uses."""

    def __init__(self, address: str, token: str, timeout_seconds: float) -> None:
        self._connection = Connection(address, token, timeout_seconds)
        self._page = http_client(timeout_seconds, headers={"Authorization": f"Token {token}"})
        with self._connection.asking("asking who we are") as sdk:
            self.user_id = int(sdk.users.whoami().id)

    def next_task(self, ls_project: int) -> RemoteTask | None:
        """Return the task the server hands out next, locked for this person; None when nothing is left."""
        address = self._connection.address
        with suppress(ErasedError), our_errors(address, "asking for the next task"):
            # The SDK has no call for the queue that annotators work through.
            found = self._page.get(f"{address}/api/projects/{ls_project}/next").raise_for_status().json()
            # What others answered is not shown here, so it is not part of the task.
            return task_from_wire({**found, "annotations": []})
        return None

    def submit(self, task_id: int, result: list[Json], *, lead_time: float, key: str) -> int | None:
        """Answer a task and return the annotation's number; None if the answer `key` (a UUID) was there before."""
        with suppress(Conflict), self._connection.asking("submitting an answer") as sdk:
            return int(sdk.annotations.create(task_id, result=result, lead_time=lead_time, unique_id=key).id)
        return None

    def skip(self, task_id: int) -> None:
        """Say that the task cannot be answered."""
        with self._connection.asking("skipping a task") as sdk:
            sdk.annotations.create(task_id, result=[], was_cancelled=True)

    def edit(self, annotation_id: int, result: list[Json]) -> None:
        """Replace an answer."""
        with self._connection.asking("editing an answer") as sdk:
            sdk.annotations.update(annotation_id, result=result)

    def withdraw(self, annotation_id: int) -> None:
        """Delete an answer."""
        with suppress(ErasedError), self._connection.asking("deleting an answer") as sdk:
            sdk.annotations.delete(annotation_id)


def user_token(address: str, invite: str, email: str, password: str, timeout_seconds: float) -> str:
    """Return the access token of a person, whose account is made by the invite link if it is new.

    Raises:
        AccessError: the account exists with another password.
        InputError: the server refuses such an account.
        UnavailableError: the server did not answer.
    """
    person = {"email": email, "password": password}
    # Forms, as a browser would fill them in: accounts and signing in are not part of the API.
    with our_errors(address, "signing an annotator in"), http_client(timeout_seconds) as browser:
        for path, form in ((invite, {**person, "allow_newsletters": "false"}), ("/user/login/", person)):
            if _sent(browser, urljoin(f"{address}/", path), form):
                answer = browser.get(f"{address}/api/current-user/token").raise_for_status()
                return str(answer.json()["token"])
    raise AccessError(
        "an annotator could neither join nor sign in",
        remedy="give the password of the existing account, or a new one a password of eight characters and more",
    )


def _sent(browser: httpx.Client, url: str, form: Json) -> bool:
    """Return whether the form was accepted: the server then redirects, else it shows the form again."""
    page = browser.get(url, follow_redirects=True)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    if not found:
        raise InputError("Label Studio shows no sign-in form", remedy="check LABELLOOP_LABEL_STUDIO_URL")
    body = {**form, "csrfmiddlewaretoken": found.group(1)}
    return browser.post(url, data=body, headers={"Referer": url}).has_redirect_location
