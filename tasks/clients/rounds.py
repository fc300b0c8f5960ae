"""Round records in hot state: which round a project is in, and how far it got."""

from __future__ import annotations

from labelloop.errors import Conflict
from labelloop.rounds import Round
from tasks.clients.hot import HotState, Json, update


def _key(project: str, number: int) -> str:
    return f"rounds/{project}/{number:06d}.json"


def rounds_of(hot: HotState, project: str) -> list[Round]:
    """Return every round of the project, oldest first."""
    found = [hot.get(key) for key in hot.keys(f"rounds/{project}/")]
    return [Round.model_validate(record.value) for record in found if record]


def current_round(hot: HotState, project: str) -> Round | None:
    """Return the newest round of the project, or None before the first."""
    keys = hot.keys(f"rounds/{project}/")
    record = hot.get(keys[-1]) if keys else None
    return Round.model_validate(record.value) if record else None


def begin_round(hot: HotState, project: str, record: Round) -> Round:
    """Write the record of a new round; if another run began it first, return theirs."""
    try:
        hot.create(_key(project, record.number), record.model_dump(mode="json"))
    except Conflict:
        theirs = hot.get(_key(project, record.number))
        if theirs:
            return Round.model_validate(theirs.value)
        raise
    return record


def save_round(hot: HotState, project: str, record: Round) -> Round:
    """Write how far a round got; states only move forward, whatever order two runs write in."""

    def forward(present: Json | None) -> Json:
        if present and Round.order(present["state"]) > Round.order(record.state):
            return present
        return record.model_dump(mode="json")

    return Round.model_validate(update(hot, _key(project, record.number), forward))
