"""Figures of annotators from what was counted; see `labelloop.annotators` for what they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.annotators.accuracy import figures_of_accuracy
from labelloop.annotators.confusion import confusion_table
from labelloop.annotators.rows import Figures, figures_by_name
from labelloop.annotators.skill import Compared, figures_of_skill
from labelloop.annotators.work import works
from labelloop.tallies.changing import STEPS
from labelloop.tallies.judging import OF_NO_QUESTION
from labelloop.tallies.tally import Key, Tally


def annotator_figures(
    tallies: Mapping[str, Tally], accepted: Mapping[str, int], *, hourly_rate: float | None = None
) -> Figures:
    """Return the figures of each annotator, by the names of the columns of the contract `annotators`.

    Args:
        tallies: of every question, and of times.
        accepted: answers of each annotator that stand in an accepted label.
        hourly_rate: pay for one hour; None gives no cost.
    """
    judged = {control: dict(_seen(tally, "judged")) for control, tally in sorted(tallies.items())}
    judged = {control: cells for control, cells in judged.items() if cells}
    right: dict[str, tuple[int, int]] = {}
    for cells in judged.values():
        for (who, truth, answer), n in cells.items():
            before = right.get(who, (0, 0))
            right[who] = (before[0] + n * (truth == answer), before[1] + n)
    seconds = _seconds(tallies.get(OF_NO_QUESTION, Tally()))
    own = {who: right.get(who, (0, 0)) for who in sorted({*right, *seconds})} if judged else {}
    confused = {control: confusion_table(cells) for control, cells in judged.items()}
    work = works(seconds, accepted, hourly_rate=hourly_rate)
    return figures_by_name(figures_of_accuracy(own), figures_of_skill(_cases(tallies, own)), confused, work)


def _cases(tallies: Mapping[str, Tally], names: Mapping[str, object]) -> dict[str, tuple[Compared, IntArray]]:
    found: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for tally in tallies.values():
        for (who, *counts), n in _seen(tally, "compared"):
            found[who].append((0, *map(int, counts), n))
    tables = {who: np.array(found[who], dtype=np.int64).reshape(-1, len(Compared._fields) + 1).T for who in names}
    return {who: (Compared(*table[:-1]), table[-1]) for who, table in tables.items()}


def _seconds(tally: Tally) -> dict[str, FloatArray]:
    """The seconds of each answer, by annotator; NaN where it was not timed."""
    found: dict[str, list[FloatArray]] = defaultdict(list)
    for (who, step), n in _seen(tally, "times"):
        found[who].append(np.repeat(np.exp(float(step) / STEPS), n))
    return {who: np.concatenate(parts) for who, parts in sorted(found.items())}


def _seen(tally: Tally, family: str) -> Iterator[tuple[Key, int]]:
    return ((key, int(n.sum())) for key, n in sorted(tally.families.get((family,), {}).items()))
