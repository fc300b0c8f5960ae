"""Erasure requests and plans in hot state: sealed there with a key of their own, and shredded at the end."""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

from labelloop.erasure.journal import Journal
from labelloop.erasure.plan import Plan
from labelloop.erasure.request import Identifiers, Request
from labelloop.errors import InputError
from tasks.clients.hot import HotState, update
from tasks.clients.vault import is_shredded, opened, sealed, shred

_REQUESTS = "erasure/requests/"
_PLANS = "erasure/plans/"
_JOURNALS = "erasure/journals/"
_KEYS = "keys/erasure/"  # in the vault
_THREADS = 16


class Erasures:
    """Every request of the lake, by its opaque id."""

    def __init__(self, hot: HotState, vault: HotState) -> None:
        """Keep records in `hot`, sealed with keys in `vault`."""
        self._hot, self._vault = hot, vault

    def add(self, request: Request, wanted: Identifiers) -> None:
        """Record a new request; Conflict if its id is taken."""
        payload = self._seal(request.request_id, wanted.model_dump_json())
        record = request.model_copy(update={"payload": payload})
        self._hot.create(_place(request.request_id), record.model_dump(mode="json"))

    def is_known(self, request_id: str) -> bool:
        """Return whether a request of this id was ever recorded."""
        return self._hot.get(_place(request_id)) is not None

    def all(self) -> list[Request]:
        """Return every request, in the order received."""
        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(self._hot.get, self._hot.keys(_REQUESTS)))
        requests = [Request.model_validate(record.value) for record in found if record]
        return sorted(requests, key=lambda request: (request.received_at, request.request_id))

    def of(self, name: str) -> list[Request]:
        """Return the request of this id, or all requests of the document of this id.

        Raises:
            InputError: there is none.
        """
        found = [request for request in self.all() if name in (request.request_id, request.document)]
        if not found:
            raise _unknown()
        return found

    def change(self, request_id: str, **changes: object) -> None:
        """Change fields of a request's record; raises as `decide`."""
        self.decide(request_id, lambda request: request.model_copy(update=changes))

    def decide(self, request_id: str, decision: Callable[[Request], Request]) -> Request:
        """Put what the decision makes of a request in its place, and return it.

        Raises:
            InputError: there is no such request, or the decision refuses it; nothing is changed.
        """

        def changed(present: dict | None) -> dict:
            if present is None:
                raise _unknown()
            return decision(Request.model_validate(present)).model_dump(mode="json")

        return Request.model_validate(update(self._hot, _place(request_id), changed))

    def identifiers(self, request: Request) -> Identifiers:
        """Return what a request names whose payload is not shredded."""
        return Identifiers.model_validate_json(self._open(request.request_id, request.payload or ""))

    def freeze(self, request_id: str, plan: Plan) -> None:
        """Keep the plan of a request; it is made once."""
        payload = self._seal(request_id, plan.model_dump_json())
        self._hot.create(f"{_PLANS}{request_id}.json", {"payload": payload})

    def planned(self) -> set[str]:
        """Return the ids of the requests whose plan is frozen, by one listing."""
        return {key.removeprefix(_PLANS).removesuffix(".json") for key in self._hot.keys(_PLANS)}

    def plan(self, request_id: str) -> Plan | None:
        """Return the frozen plan of a request, or None before it was made."""
        found = self._hot.get(f"{_PLANS}{request_id}.json")
        return Plan.model_validate_json(self._open(request_id, found.value["payload"])) if found else None

    def note(self, request_id: str, journal: Journal) -> None:
        """Keep the journal of a request in place of the one before."""
        payload = self._seal(request_id, journal.model_dump_json())
        update(self._hot, f"{_JOURNALS}{request_id}.json", lambda _: {"payload": payload})

    def journal(self, request_id: str) -> Journal | None:
        """Return the journal of a request, or None before its first step."""
        found = self._hot.get(f"{_JOURNALS}{request_id}.json")
        return Journal.model_validate_json(self._open(request_id, found.value["payload"])) if found else None

    def has_begun(self, request: Request) -> bool:
        """Return whether something may be deleted already and the rest not; the blocked have gone all the way."""
        begun = request.state in ("open", "purging")
        return begun and self._hot.get(f"{_PLANS}{request.request_id}.json") is not None

    def close(self, request_id: str) -> None:
        """Mark the request as done and destroy what it named."""
        self.forget(request_id)
        self.change(request_id, state="done", reason="", payload=None)

    def forget(self, request_id: str) -> None:
        """Destroy what the request named: plan and journal, and the key of them and of the payload."""
        for place in (_PLANS, _JOURNALS):
            self._hot.delete(f"{place}{request_id}.json")
        shred(self._vault, _key_name(request_id))

    def finish_restored(self, proven: Collection[str]) -> None:
        """Finish again what a backup brought back as unfinished: the vault has no key of it any more.

        Args:
            proven: requests that have a receipt; the others were lifted.
        """
        for request in self.all():
            if not request.is_finished and is_shredded(self._vault, _key_name(request.request_id)):
                self.forget(request.request_id)
                state = "done" if request.request_id in proven else "lifted"
                self.change(request.request_id, state=state, reason="", payload=None)

    def forget_finished(self) -> None:
        """Destroy what finished requests named: an overtaken run may have written some after it was destroyed."""
        left = [*self._hot.keys(_PLANS), *self._hot.keys(_JOURNALS), *self._vault.keys(_KEYS)]
        named = {key.rpartition("/")[2].removesuffix(".json") for key in left}
        finished = {request.request_id for request in self.all() if request.is_finished} if named else set()
        for request_id in finished & named:
            self.forget(request_id)

    def _seal(self, request_id: str, text: str) -> str:
        return base64.b64encode(sealed(self._vault, _key_name(request_id), text.encode())).decode()

    def _open(self, request_id: str, payload: str) -> str:
        return opened(self._vault, _key_name(request_id), base64.b64decode(payload)).decode()


def _unknown() -> InputError:
    return InputError("there is no such erasure request", remedy="see `labelloop erase status`")


def _place(request_id: str) -> str:
    return f"{_REQUESTS}{request_id}.json"


def _key_name(request_id: str) -> str:
    return f"erasure/{request_id}"
