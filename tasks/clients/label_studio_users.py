"""People of a Label Studio server: accounts by invite link, and an annotator's session.

The pipeline itself needs neither; the demo and the tests annotate through them as a person would.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin

import requests

from labelloop.errors import AccessError, Conflict, ErasedError, InputError, UnavailableError
from labelloop.workbench import RemoteTask, task_from_wire
from tasks.clients.hot import Json
from tasks.clients.label_studio_http import Http


class AnnotatorSession:
    """One person at work through the interface the labelling page itself uses."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.user_id = int(http.get("/api/current-user/whoami", "asking who we are")["id"])

    def next_task(self, ls_project: int) -> RemoteTask | None:
        """Return the task the server hands out next, locked for this person; None when nothing is left."""
        try:
            found = self._http.get(f"/api/projects/{ls_project}/next", "asking for the next task")
        except ErasedError:
            return None
        # What others answered is not shown here, so it is not part of the task.
        return task_from_wire({**found, "annotations": []})

    def submit(self, task_id: int, result: list[Json], *, lead_time: float, key: str) -> int | None:
        """Answer a task and return the annotation's number; None if the answer `key` (a UUID) was there before."""
        body = {"result": result, "lead_time": lead_time, "unique_id": key}
        try:
            return int(self._http.post(f"/api/tasks/{task_id}/annotations/", "submitting an answer", json=body)["id"])
        except Conflict:
            return None

    def skip(self, task_id: int) -> None:
        """Say that the task cannot be answered."""
        body = {"result": [], "was_cancelled": True}
        self._http.post(f"/api/tasks/{task_id}/annotations/", "skipping a task", json=body)

    def edit(self, annotation_id: int, result: list[Json]) -> None:
        """Replace an answer."""
        self._http.patch(f"/api/annotations/{annotation_id}/", "editing an answer", json={"result": result})

    def withdraw(self, annotation_id: int) -> None:
        """Delete an answer."""
        self._http.delete(f"/api/annotations/{annotation_id}/", "deleting an answer")


def user_token(address: str, invite: str, email: str, password: str, timeout_seconds: float) -> str:
    """Return the access token of a person, whose account is made by the invite link if it is new.

    Raises:
        AccessError: the account exists with another password.
        InputError: the server refuses such an account.
        UnavailableError: the server did not answer.
    """
    person = {"email": email, "password": password}
    try:
        with requests.Session() as session:
            session.trust_env = False
            for path, form in ((invite, {**person, "allow_newsletters": "false"}), ("/user/login/", person)):
                if _sent(session, urljoin(f"{address}/", path), form, timeout_seconds):
                    answer = session.get(f"{address}/api/current-user/token", timeout=timeout_seconds)
                    answer.raise_for_status()
                    return str(answer.json()["token"])
    except requests.RequestException as error:
        raise UnavailableError(
            f"Label Studio at {address} did not answer while an annotator signed in ({type(error).__name__})",
            remedy="check LABELLOOP_LABEL_STUDIO_URL",
        ) from None
    raise AccessError("an annotator could not sign in", remedy="give the password of the existing account")


def _sent(session: requests.Session, url: str, form: Json, timeout_seconds: float) -> bool:
    """Return whether the form was accepted: the server then redirects, else it shows the form again."""
    page = session.get(url, timeout=timeout_seconds)
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    if not found:
        raise InputError("Label Studio shows no sign-in form", remedy="check LABELLOOP_LABEL_STUDIO_URL")
    headers = {"Referer": url}
    body = {**form, "csrfmiddlewaretoken": found.group(1)}
    return session.post(url, data=body, headers=headers, allow_redirects=False, timeout=timeout_seconds).is_redirect
