"""What a Label Studio server itself says of a labelling configuration; nothing is changed there."""

from __future__ import annotations

from tasks.clients.label_studio_connection import http_client, our_errors, without_user
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
        said = answer.json()
        reasons = said.get("validation_errors") or {"detail": said.get("detail", "it does not say why")}
        return "; ".join(str(reason) for reason in reasons.values())
