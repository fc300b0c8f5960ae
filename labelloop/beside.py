"""What counts beside the answers of annotators when labels are resolved: labels given before, answers of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.contracts import contract

_ANSWERS: Final = contract("annotations").schema
_SAID: Final = pa.schema(
    [(name, pa.string()) for name in ("control", "control_type", "unit", "annotator", "value")]
    + [(name, _ANSWERS.field(name).type) for name in ("ranked", "regions", "raw")]
)


@dataclass(frozen=True)
class Beside:
    """What was said beside annotators: `opinions` that count like theirs, and `gold`, known answers.

    Both have the columns control, unit, annotator (gold may lack it) and the answer: `value`, a text, or `regions`
    with their `control_type` and, where they need it, `raw`. Columns that are not given are null.
    """

    opinions: pa.Table = field(default_factory=_SAID.empty_table)
    gold: pa.Table = field(default_factory=_SAID.empty_table)

    def __post_init__(self) -> None:
        for name in ("opinions", "gold"):
            object.__setattr__(self, name, joined(_SAID.empty_table(), getattr(self, name)))

    @property
    def kinds(self) -> dict[str, str]:
        """The controls that are answered here, each with its kind."""
        said = pa.concat_tables([self.opinions, self.gold]).select(["control", "control_type"])
        return {row["control"]: row["control_type"] or "choices" for row in said.to_pylist()}

    def of(self, control: str) -> Beside:
        """What was said of one control."""
        return Beside(*(said.filter(pc.equal(said["control"], control)) for said in (self.opinions, self.gold)))


def joined(one: pa.Table, other: pa.Table) -> pa.Table:
    """The rows of both tables; a column that one of them lacks is null there.

    >>> joined(pa.table({"a": [1]}), pa.table({"b": ["x"]})).to_pylist()
    [{'a': 1, 'b': None}, {'a': None, 'b': 'x'}]
    """
    return pa.concat_tables([one, other], promote_options="default")  # lake columns may not be null, others may
