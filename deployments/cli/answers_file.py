"""Answers of every kind that `labelloop agreement` takes from a file of annotations, as `labelloop convert` writes.

Files of ratings are read in `tables.py`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deployments.cli.table_file import is_parquet, read_columns
from deployments.cli.tables import of_control
from labelloop.agreement.of_each_region import marks_of
from labelloop.agreement.question import Question
from labelloop.contracts import contract, shaped
from labelloop.errors import InputError
from labelloop.opinions import answered, planned_answers

_OF_ANNOTATIONS = frozenset(["annotation_id", "unit_id", "control_type"])


def holds_annotations(path: Path) -> bool:
    """Return whether the file has the columns of annotations; one that cannot be read has not.

    Raises:
        InputError: it is neither Parquet nor text.
    """
    if is_parquet(path):
        with suppress(pa.ArrowInvalid, OSError):
            return set(pq.read_schema(path).names) >= _OF_ANNOTATIONS
    return False


def read_question(path: Path, control: str | None, *, n_min: int, seed: int) -> Question:
    """Return the planned answers to one control.

    Raises:
        ContractError: the rows have other columns than the contract `annotations`.
        InputError: nothing was answered, the control is unknown, or there are several and none is chosen.
    """
    rules = contract("annotations")
    annotations = shaped(rules, read_columns(path, rules.schema.names, ()))
    kinds = dict(answered(of_control(annotations, control)))
    if not kinds:
        raise InputError(f"{path} holds no active answer", remedy="give annotations that were submitted")
    ((name, kind),) = kinds.items()
    answers = planned_answers(annotations, name)
    return Question(answers, kind, marks=marks_of(answers, annotations), settings={"n_min": n_min, "seed": seed})
