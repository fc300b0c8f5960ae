"""The record of a round: what was frozen when it began, and how far it got."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from pydantic import BaseModel, ConfigDict

State = Literal["choosing", "chosen", "open", "closed"]
LATE: Final = timedelta(days=14)  # after closing; until then conflicts bring more opinions and rulings


class Round(BaseModel):
    """One weekly turn of one project.

    `choosing`: inputs are frozen, the batch is being composed (a rerun composes the same one).
    `chosen`: units and batch are in the lake. `open`: its tasks are in Label Studio. `closed`: all are answered
    or withdrawn; only closed rounds are read by statistics on audit units.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    state: State
    seed: int
    size: int
    strategy: str
    reason: str = ""
    opened_at: datetime
    closed_at: datetime | None = None
    table_versions: dict[str, int | None] = {}

    @staticmethod
    def order(state: str) -> int:
        """Return the place of a state in the life of a round, 0 first.

        >>> Round.order("choosing") < Round.order("closed")
        True
        """
        return get_args(State).index(state)


def is_settled(record: Round, now: datetime) -> bool:
    """Return whether a round closed long enough ago that more answers to it are rare.

    >>> from datetime import UTC
    >>> then = datetime(2026, 1, 5, tzinfo=UTC)
    >>> record = Round(number=1, state="closed", seed=0, size=1, strategy="r", opened_at=then, closed_at=then)
    >>> is_settled(record, then), is_settled(record, then + LATE)
    (False, True)
    """
    return record.state == "closed" and (record.closed_at is None or record.closed_at + LATE <= now)
