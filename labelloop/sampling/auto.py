"""The strategy `auto`: which one fits what is known, told with its reason."""

from __future__ import annotations

from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.errors import InputError
from labelloop.sampling.reading import has
from labelloop.sampling.table import STRATEGIES

FEW_PER_CLASS: Final = 10  # below it a model's doubts say little and coverage wins


class Resolved(NamedTuple):
    """A strategy by `name`, and the `reason` why auto chose it; empty for one asked for by name."""

    name: str
    reason: str


def resolve(strategy: str, pool: pa.Table, labels_count: int) -> Resolved:
    """The strategy to carry out: the one asked for, or for `auto` the one that fits this pool.

    Typicality while there are fewer than 10 labels for each class or no probabilities, then the hybrid;
    without embeddings margin, and random where nothing is known or labels are few.

    Raises:
        InputError: no strategy has this name.

    >>> resolve("auto", pa.table({"ref_id": ["a"]}), 0).name
    'random'
    """
    if strategy in STRATEGIES:
        return Resolved(strategy, "")
    if strategy != "auto":
        raise InputError(
            f"there is no strategy {strategy!r}", remedy=f"choose one of {', '.join([*STRATEGIES, 'auto'])}"
        )
    embedded, predicted = has(pool, "embedding"), has(pool, "probabilities")
    if not predicted:
        return Resolved("typiclust" if embedded else "random", "auto, no predictions yet")
    classes = pc.max(pc.list_value_length(pool["probabilities"])).as_py()
    if labels_count < FEW_PER_CLASS * classes:
        why = f"auto, {labels_count} labels are few for {classes} classes"
        return Resolved("typiclust" if embedded else "random", why)
    return Resolved("hybrid" if embedded else "margin", f"auto, {labels_count} labels for {classes} classes")
