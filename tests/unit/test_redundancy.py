"""How many opinions a unit gets at first, and who is asked again while the budget lasts."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from labelloop.adjudication import Docket, adjudicate
from labelloop.labels import learnt_of
from labelloop.redundancy import chances, first_overlaps
from labelloop.spec import load_spec
from tests.builders.digits import SPEC
from tests.builders.rows import hex_id, rows_of

DIGITS = load_spec(SPEC)


def spec_with(**overlap: Any) -> Any:
    return DIGITS.model_copy(update={"overlap": DIGITS.overlap.model_copy(update=overlap)})


def batch(n: int, stratum: str = "exploit", number: int = 1, start: int = 0) -> list[dict]:
    return [
        {"unit_id": hex_id(start + u), "round": number, "stratum": stratum, "queue_score": (n - u) / (n + 1)}
        for u in range(n)
    ]


def firsts(spec: Any, rows: list[dict]) -> dict[str, int]:
    found = first_overlaps(spec, rows_of("batches", rows))
    return dict(zip(found["unit_id"].to_pylist(), found["first"].to_pylist(), strict=True))


def test_what_the_model_is_least_sure_of_gets_several_opinions_at_once_in_every_round():
    spec = spec_with(share=0.0, uncertain_share=0.2)
    rows = batch(10) + batch(5, number=2, start=10) + batch(20, "explore", start=20)
    found = firsts(spec, rows)
    assert [unit for unit, first in found.items() if first == 2] == [hex_id(u) for u in (8, 9, 14)]


def test_by_default_a_tenth_to_a_fifth_of_a_batch_gets_several_opinions():
    spec = DIGITS.model_copy(update={"overlap": type(DIGITS.overlap)()})
    several = [first > 1 for first in firsts(spec, batch(3000)).values()]
    assert 0.1 < sum(several) / len(several) < 0.21


def docket(n: int = 3, *, chance: dict[int, float] | None = None, extra_share: float = 1.0, **more: Any) -> Docket:
    """Units 0..n-1 are answered twice and in conflict, the first the least sure."""
    units = [{"unit_id": hex_id(u)} for u in range(n)]
    labels = [
        row | {"control": "digit", "state": "conflict", "confidence": 0.4 + u / 20} for u, row in enumerate(units)
    ]
    tasks = [row | {"task_id": u, "overlap": 2, "state": "answered"} for u, row in enumerate(units)]
    told = [{"unit_id": hex_id(u), "control": "digit", "chance": c} for u, c in (chance or {}).items()]
    return adjudicate(
        rows_of("labels", more.get("labels", labels)),
        rows_of("tasks", more.get("tasks", tasks)),
        rows_of("annotations", more.get("annotations", [])),
        firsts=pa.table({"unit_id": [r["unit_id"] for r in units], "round": [1] * n, "first": [2] * n}),
        chances=pa.Table.from_pylist(
            told, schema=pa.schema([("unit_id", pa.string()), ("control", pa.string()), ("chance", pa.float64())])
        ),
        maximum=4,
        annotators=5,
        extra_share=extra_share,
    )


def units(rows: pa.Table) -> list[str]:
    return rows["unit_id"].to_pylist()


def test_while_the_budget_lasts_every_conflict_is_asked_again():
    assert units(docket().ask_again) == [hex_id(0), hex_id(1), hex_id(2)]


def test_a_short_budget_goes_to_where_one_more_opinion_most_likely_settles_it():
    found = docket(chance={0: 0.1, 1: 0.2, 2: 0.9}, extra_share=0.4)
    assert (units(found.ask_again), units(found.for_expert)) == ([hex_id(2)], [hex_id(0), hex_id(1)])


def test_what_was_spent_on_a_round_is_not_spent_again():
    tasks = [{"unit_id": hex_id(u), "task_id": u, "overlap": 3 - u, "state": "answered"} for u in (0, 1)]
    assert units(docket(2, tasks=tasks, extra_share=0.5).ask_again) == []
    assert units(docket(2, tasks=tasks, extra_share=1.0).ask_again) == [hex_id(0)]


@pytest.mark.parametrize(("state", "stops"), [("accepted", True), ("conflict", False)])
def test_a_raised_task_is_handed_out_no_more_once_its_label_is_sure(state, stops):
    found = docket(
        1,
        labels=[{"unit_id": hex_id(0), "control": "digit", "state": state, "confidence": 0.9}],
        tasks=[{"unit_id": hex_id(0), "task_id": 7, "overlap": 3, "state": "open"}],
        annotations=[
            {"annotation_id": who, "unit_id": hex_id(0), "annotator": who, "state": "active"} for who in ("a", "b")
        ],
    )
    assert found.sure.to_pylist() == ([{"unit_id": hex_id(0), "task_id": 7, "answers": 2}] if stops else [])


def test_one_more_opinion_is_the_likelier_to_settle_a_label_the_surer_it_is_already():
    given = [(u, who, str((u + (who == "abc"[u % 3]) * (u % 2)) % 3)) for u in range(30) for who in "abc"]
    given += [(30, "a", "1"), (30, "b", "2")]
    same = {"control": "digit", "state": "active", "opinion_reason": "planned"}
    rows = [
        same | {"annotation_id": f"{u}{who}", "unit_id": hex_id(u), "annotator": who, "choices": [value]}
        for u, who, value in given
    ]
    spec = DIGITS.model_copy(update={"quality": DIGITS.quality.model_copy(update={"accept_confidence": 0.9})})
    found = chances(rows_of("annotations", rows), {"digit"}, experts=["x"], spec=spec)
    told = dict(zip(units(found), found["chance"].to_pylist(), strict=True))
    assert told[hex_id(0)] == 1.0
    assert 0.0 < told[hex_id(30)] < 1.0
    assert chances(rows_of("annotations", rows), set(), experts=[], spec=spec).num_rows == 0
    learnt = learnt_of(rows_of("annotations", rows), experts=["x"], method=spec.consensus.method)
    disputed = rows_of("annotations", rows[-2:])
    alone = chances(disputed, {"digit"}, experts=["x"], spec=spec, learnt=learnt).to_pylist()
    assert alone == [{"unit_id": hex_id(30), "control": "digit", "chance": pytest.approx(told[hex_id(30)], abs=1e-4)}]
