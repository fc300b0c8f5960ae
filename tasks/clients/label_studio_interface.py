"""What a Label Studio server itself makes of a labelling configuration; nothing stays behind there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_connection import Connection, http_client, without_user
from tasks.clients.label_studio_errors import our_errors
from tasks.clients.settings import Settings


def refusal_of(settings: Settings, xml: str) -> str | None:
    """Return why the server would refuse a labelling configuration, or None if it would take it.

    Raises:
        UnavailableError: the server did not answer.
    """
    address = without_user(settings.label_studio_url)
    with our_errors(address, "checking the interface"), http_client(settings.timeout_seconds) as http:
        # Anybody may ask this: no token is sent. The SDK checks against a project only.
        answer = http.post(f"{address}/api/projects/validate/", json={"label_config": xml})
        if answer.status_code != 400:
            answer.raise_for_status()
            return None
        return "; ".join(str(reason) for reasons in answer.json().values() for reason in reasons)


@contextmanager
def shown_once(settings: Settings, xml: str, bucket: str, data: Mapping[str, Any]) -> Iterator[str]:
    """Lend the address of a page that shows one task; its project is gone after the block.

    Args:
        settings: name the server.
        xml: the labelling configuration.
        bucket: of the media that the task shows.
        data: of the task.
    """
    server = connect_label_studio(settings)
    project = server.create_project({"title": "labelloop preview", "label_config": xml})
    try:
        server.ensure_storage(project, bucket)
        server.import_tasks(project, [{"data": dict(data)}])
        yield f"{server.address}/projects/{project}/data?labeling=1"
    finally:
        token = settings.label_studio_token.get_secret_value()
        connection = Connection(settings.label_studio_url, token, settings.timeout_seconds)
        with connection.asking("deleting the preview") as sdk:
            sdk.projects.delete(project)
