"""Erasure requests and plans in hot state: sealed there with a key of their own, and shredded at the end."""

from __future__ import annotations

import base64

from labelloop.erasure.plan import Plan
from labelloop.erasure.request import Identifiers, Request
from labelloop.errors import InputError
from tasks.clients.hot import HotState, update
from tasks.clients.vault import opened, sealed, shred

_REQUESTS = "erasure/requests/"
_PLANS = "erasure/plans/"


class Erasures:
    """Every request of the lake, by its opaque id."""

    def __init__(self, hot: HotState, vault: HotState) -> None:
        """Keep records in `hot`, sealed with keys in `vault`."""
        self._hot, self._vault = hot, vault

    def add(self, request: Request, wanted: Identifiers) -> None:
        """Record a new request."""
        payload = self._seal(request.request_id, wanted.model_dump_json())
        record = request.model_copy(update={"payload": payload})
        self._hot.create(f"{_REQUESTS}{request.request_id}.json", record.model_dump(mode="json"))

    def all(self) -> list[Request]:
        """Return every request, in the order received."""
        found = [self._hot.get(key) for key in self._hot.keys(_REQUESTS)]
        requests = [Request.model_validate(record.value) for record in found if record]
        return sorted(requests, key=lambda request: (request.received_at, request.request_id))

    def change(self, request_id: str, **changes: object) -> None:
        """Change fields of a request's record.

        Raises:
            InputError: there is no such request.
        """

        def changed(present: dict | None) -> dict:
            if present is None:
                raise InputError("there is no such erasure request", remedy="see `labelloop erase status`")
            return {**present, **changes}

        update(self._hot, f"{_REQUESTS}{request_id}.json", changed)

    def identifiers(self, request: Request) -> Identifiers:
        """Return what an unfinished request names."""
        return Identifiers.model_validate_json(self._open(request.request_id, request.payload or ""))

    def freeze(self, request_id: str, plan: Plan) -> None:
        """Keep the plan of a request; it is made once."""
        payload = self._seal(request_id, plan.model_dump_json())
        self._hot.create(f"{_PLANS}{request_id}.json", {"payload": payload})

    def plan(self, request_id: str) -> Plan | None:
        """Return the frozen plan of a request, or None before it was made."""
        found = self._hot.get(f"{_PLANS}{request_id}.json")
        return Plan.model_validate_json(self._open(request_id, found.value["payload"])) if found else None

    def close(self, request_id: str) -> None:
        """Mark the request as done and destroy what it named: plan, payload, and the key of both."""
        self._hot.delete(f"{_PLANS}{request_id}.json")
        shred(self._vault, _key_name(request_id))
        self.change(request_id, state="done", reason="", payload=None)

    def _seal(self, request_id: str, text: str) -> str:
        return base64.b64encode(sealed(self._vault, _key_name(request_id), text.encode())).decode()

    def _open(self, request_id: str, payload: str) -> str:
        return opened(self._vault, _key_name(request_id), base64.b64decode(payload)).decode()


def _key_name(request_id: str) -> str:
    return f"erasure/{request_id}"
