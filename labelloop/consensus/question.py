"""All that was said of one control, and which method resolves answers of its kind.

Answers without a text, which are regions and items in buckets, are resolved in `shaped.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.agreement import Ratings, read_ratings
from labelloop.consensus.learnt import Learnt, decide, learn
from labelloop.consensus.number_median import number_median
from labelloop.consensus.table import aggregate
from labelloop.consensus.text_medoid import text_medoid
from labelloop.contracts import contract


@dataclass(frozen=True)
class Question:
    """What was said of one control as text: `ratings` unit, annotator, value; `rulings` unit, value.

    `units` are rows of the contract `units`; `method` is that of choices. `learnt` decides instead of what would be
    learnt from these answers. Of remarks, which nobody has to agree on, one is taken also where they tie.
    """

    ratings: pa.Table
    rulings: pa.Table
    units: pa.Table
    method: str
    learnt: Learnt | None = None
    is_remark: bool = False


def learnt_by(question: Question, kind: str) -> Learnt:
    """Return what is learnt from the answers to a question of one of the kinds `LEARNT`."""
    if kind == "rating":
        return learn(_ascending(question), question.rulings, "median")
    return learn(question.ratings, question.rulings, question.method)


def _classes(question: Question) -> pa.Table:
    if question.learnt is not None:
        return decide(question.ratings, question.rulings, question.method, question.learnt).table
    return aggregate(question.ratings, question.method, rulings=question.rulings)


def _middle(question: Question) -> pa.Table:
    if question.learnt is not None:
        return decide(question.ratings, question.rulings, "median", question.learnt).table
    return aggregate(_ascending(question), "median", rulings=question.rulings)


def _number(question: Question) -> pa.Table:
    return number_median(_ascending(question), question.rulings)


def _ascending(question: Question) -> Ratings:
    """The ratings, whose texts are numbers, with their values and those of the rulings in ascending order."""
    said = pa.concat_tables([question.ratings.select(["value"]), question.rulings.select(["value"])])["value"]
    return read_ratings(question.ratings, categories=sorted(pc.unique(said).to_pylist(), key=float))


def _comparison(question: Question) -> pa.Table:
    pairs = question.units.filter(pc.equal(question.units["kind"], "pair"))
    if not pairs.num_rows:  # two fields of a record are compared once: they have no strength to learn
        return _classes(question)
    left, right = (pc.list_element(pairs["ref_ids"], place) for place in (0, 1))
    sides = pa.table({"unit": pairs["unit_id"], "left": left, "right": right})
    ratings, rulings = (said.join(sides, "unit", join_type="inner") for said in (question.ratings, question.rulings))
    return aggregate(ratings, "bradley-terry", rulings=rulings)


def _order(question: Question) -> pa.Table:
    return aggregate(question.ratings, "plackett-luce", rulings=question.rulings)


def _text(question: Question) -> pa.Table:
    """The medoid of each unit as its only class; a ruling instead of it where there is one."""
    ruling = dict(zip(*(question.rulings[name].to_pylist() for name in ("unit", "value")), strict=True))
    written = text_medoid(question.ratings, break_ties=question.is_remark).to_pylist()
    unwritten = sorted(set(ruling) - {row["unit"] for row in written})
    rows = []
    for row in [*written, *({"unit": unit, "n": 0} for unit in unwritten)]:
        if row["unit"] in ruling:
            row |= {"label": ruling[row["unit"]], "confidence": 1.0, "decided_by": "expert"}
        rows.append({**row, "classes": [row["label"] or ""], "probabilities": [row["confidence"]]})
    schema = contract("labels").schema
    names = ("label", "confidence", "n", "classes", "probabilities", "decided_by")
    fields = [pa.field("unit", pa.string()), *(schema.field(name) for name in names)]
    found = pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in fields]))
    return found.append_column("method", pa.repeat("text-medoid", found.num_rows))


RESOLVED_BY: Final[Mapping[str, Callable[[Question], pa.Table]]] = MappingProxyType(
    {
        "choices": _classes,
        "taxonomy": _classes,
        "datetime": _classes,
        "rating": _middle,
        "number": _number,
        "pairwise": _comparison,
        "ranking": _order,
        "text": _text,
    }
)

# Answers of which something is learnt that decides other units, and those whose units are decided each by itself.
# What compares items learns their strengths from all units at once.
LEARNT: Final = frozenset({"choices", "taxonomy", "datetime", "rating"})
EACH_BY_ITSELF: Final = frozenset({"number", "text"})
