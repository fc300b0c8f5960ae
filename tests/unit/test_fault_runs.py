"""The faults of the drills on real servers: each that can be told apart is tried, none hides another of its run."""

from __future__ import annotations

import itertools

from tests.e2e.fault_runs import Strikes, every_fault, kind_of, together

GET, PUT = "S3 GET /lake-0123abcd/a", "S3 PUT /lake-0123abcd/b/{}.json"


def test_a_read_is_lost_once_and_a_change_meets_every_fault():
    faults = every_fault([GET, PUT.format(1), PUT.format(2)])
    assert [(fault.way, fault.at, fault.nth) for fault in faults if fault.at != 2] == [
        ("lost", 1, 1),
        *((way, 3, 2) for way in ("kill before", "kill after", "lost", "unanswered")),
    ]


def test_a_request_is_known_again_whatever_was_asked_once_more_before_it():
    _, fault = every_fault([GET, "S3 HEAD /lake-0123abcd/c/12"])
    strikes = Strikes([fault])
    answers = [
        strikes(0, request) for request in (GET, GET, "S3 HEAD /lake-fedcba98/c/7", "S3 HEAD /lake-fedcba98/c/8")
    ]
    assert answers == [None, None, "lost", None]
    assert strikes.met == [fault]
    assert kind_of(f"{PUT.format(7)}?etag=0123456789abcdef") == "S3 PUT /lake-#/b/#.json?etag=#"


def test_a_kill_has_a_run_of_its_own_and_what_is_lost_shares_one_with_other_kinds_far_away():
    requests = [f"S3 GET /{chr(97 + number % 26)}" for number in range(60)] + [PUT.format(1)]
    faults = every_fault(requests)
    shared = together(faults)
    assert len(shared) > 3
    assert len({fault.kind for fault in shared}) == len(shared)
    assert min(b.at - a.at for a, b in itertools.pairwise(shared)) >= 12
    kill = next(fault for fault in faults if fault.is_kill)
    assert together([kill, *faults]) == [kill]
    assert not any(fault.is_kill for fault in shared)
