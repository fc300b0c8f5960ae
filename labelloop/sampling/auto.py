"""The strategy `auto`: which one fits what is known, told with its reason."""

from __future__ import annotations

from typing import Final, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.errors import InputError
from labelloop.sampling.evidence import Gain
from labelloop.sampling.reading import has
from labelloop.sampling.table import STRATEGIES

FEW_PER_CLASS: Final = 2  # below it a model has hardly seen every class, and its doubts say little
DIVERSITY: Final = "typiclust"


class Resolved(NamedTuple):
    """A strategy by `name`, and the `reason` why auto chose it; empty for one asked for by name."""

    name: str
    reason: str


def resolve(strategy: str, pool: pa.Table, labels_count: int, gain: Gain | None = None) -> Resolved:
    """The strategy to carry out: the one asked for, or for `auto` the one that fits this pool.

    Typicality while there are fewer than 2 labels for each class or no probabilities, then herding, which weighs
    doubt, distance and how common a reference is; without embeddings margin, and random where nothing is known or
    labels are few. With evidence that what a model's doubts chose last taught less than random labels, diversity.

    Args:
        strategy: a name of `STRATEGIES`, or `auto`.
        pool: what may be chosen.
        labels_count: labels there are.
        gain: what the last exploited batch taught beyond random labels, if that could be measured.

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
    diverse = DIVERSITY if embedded else "random"
    if not predicted:
        return Resolved(diverse, "auto, no predictions yet")
    classes = pc.max(pc.list_value_length(pool["probabilities"])).as_py()
    if labels_count < FEW_PER_CLASS * classes:
        return Resolved(diverse, f"auto, {labels_count} labels are few for {classes} classes")
    if gain and gain.harmful and gain.strategy != DIVERSITY:
        return Resolved(diverse, f"auto, back to diversity since {gain}")
    known = f"auto, {labels_count} labels for {classes} classes"
    return Resolved("herding" if embedded else "margin", f"{known}; {gain}" if gain else known)
