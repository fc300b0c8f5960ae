"""Which of two copies of a request's rows is the newer, and what an older lake lacks."""

from __future__ import annotations

import pytest

from labelloop.erasure.ledger import ahead, lost_rows, tallies
from tasks.clients.ledger import Ledger
from tests.builders.digits import START
from tests.builders.rows import hex_id, rows_of
from tests.fakes.hot import MappedHotState


def suppressions(*rows):
    return rows_of("suppressions", [{"suppression_id": hex_id(n), "lifted_at": lifted} for n, lifted in rows])


@pytest.mark.parametrize(
    ("kept", "present", "lost"),
    [
        ([(1, None)], [], [1]),
        ([(1, None)], [(1, None)], []),
        ([(1, START)], [(1, None)], [1]),
        ([(1, None)], [(1, START)], []),
        ([(1, None), (2, None)], [(2, None), (3, None)], [1]),
    ],
)
def test_absent_rows_and_lifts_are_lost_and_nothing_else(kept, present, lost):
    found = lost_rows(suppressions(*kept), suppressions(*present), "suppression_id")
    assert found["suppression_id"].to_pylist() == [hex_id(n) for n in lost]


def test_the_newest_state_of_a_request_is_given_back_as_it_was_kept():
    vault, request = MappedHotState(), hex_id(0)
    ledger = Ledger(vault, "s3://lake")
    for rows in (suppressions((1, None)), suppressions((1, START))):
        mine = rows.set_column(rows.schema.get_field_index("request_id"), "request_id", [[request]])
        for _ in range(2):
            ledger.record("suppressions", request, tallies(mine)[request], mine.to_pylist())
    assert ledger.tallies("suppressions") == {request: (1, 1)}
    assert ledger.rows("suppressions", [request]).to_pylist() == mine.to_pylist()
    assert Ledger(vault, "s3://lake/").tallies("suppressions") == {request: (1, 1)}
    assert Ledger(vault, "s3://another").tallies("suppressions") == {}
    assert ahead(ledger.tallies("suppressions"), {request: (1, 0)}) == [request]
    assert ahead({request: (1, 0)}, ledger.tallies("suppressions")) == []
