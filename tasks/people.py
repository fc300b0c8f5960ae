"""Figures of annotators: of few answers measured anew every night, of many from tallies and kept counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.annotators import accepted_answers, annotator_rows
from labelloop.annotators.rows import figure_rows
from labelloop.opinions import without_confirmations
from labelloop.tallies.judged import annotator_figures
from labelloop.tallies.kept import Kept, still_settled
from labelloop.tallies.tally import Tally
from tasks.answers_by_round import AnswersByRound
from tasks.clients.table_rows import text_of
from tasks.clients.world import World

# What figures of annotators read of their answers, and of labels.
ANSWERED: Final = [
    *("annotation_id", "control", "control_type", "unit_id", "annotator", "choices", "paths", "number", "text"),
    *("ranked", "lead_time", "opinion_reason", "state", "updated_at"),
]
_LABELLED: Final = ["unit_id", "control", "label", "state"]


def people_measured(world: World) -> pa.Table:
    """Return rows of the contract `annotators`, from all answers."""
    return annotator_rows(
        without_confirmations(world.table("annotations").read(columns=ANSWERED), world.spec.interface),
        world.table("annotators").read(),
        world.table("labels").read(columns=_LABELLED),
        at=world.now(),
        hourly_rate=world.spec.annotators.hourly_rate,
        figures=world.spec.annotators.figures == "lead",
    )


def people_counted(
    world: World, tallies: Mapping[str, Tally], answers: AnswersByRound, *, full: bool = False
) -> pa.Table:
    """Return rows of the contract `annotators`, from what was counted of all answers.

    Args:
        world: the project's world.
        tallies: of all questions and times.
        answers: as they are.
        full: count anew, too, what stands in an accepted label.
    """
    present, people = world.table("annotators").read(), world.spec.annotators
    if people.figures != "lead":
        return figure_rows({}, present, world.now())
    accepted = accepted_in(world, answers, answers.rounds) if full else _accepted(world, answers)
    found = annotator_figures(tallies, accepted, hourly_rate=people.hourly_rate)
    return figure_rows(found, present, world.now())


def _accepted(world: World, answers: AnswersByRound) -> Counter[str]:
    """How many answers of each annotator stand in an accepted label; of settled rounds as consensus counted them."""
    kept, version = kept_of_labels(world), world.table("labels").version()
    holds = still_settled(kept, answers.files, answers.chosen, recipe=kept.recipe, version=version)
    if not holds or kept.accepted is None:
        return accepted_in(world, answers, answers.rounds)
    return Counter(kept.accepted) + accepted_in(world, answers, answers.rounds - kept.settled.keys())


def accepted_in(world: World, answers: AnswersByRound, rounds: Collection[int]) -> Counter[str]:
    """Return how many answers of each annotator to some rounds stand in an accepted label."""
    found = Counter[str]()
    for some in answers.portions(rounds):
        rows = without_confirmations(answers.read(some, ANSWERED), world.spec.interface)
        own = text_of("unit_id").isin(pc.unique(rows["unit_id"]))
        found.update(accepted_answers(rows, world.table("labels").read(columns=_LABELLED, where=own)))
    return found


def kept_of_labels(world: World) -> Kept:
    """Return what the labels of settled rounds follow from."""
    found = world.hot.get(key_of_labels(world))
    return Kept.model_validate(found.value) if found else Kept()


def key_of_labels(world: World) -> str:
    """Return where that is kept."""
    return f"tallies/{world.project}/consensus.json"
