"""Four annotators of known error rate, who join by invite link and answer Label Studio's tasks side by side."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from labelloop.simulation import SimulatedAnnotator
from tasks.clients.hot import Json
from tasks.clients.label_studio import Annotator, LabelStudio

SEED = 11
# The last is so careless that an interval over the units of three rounds tells it in nearly every demo.
ERROR_RATES = {"ann": 0.04, "ben": 0.04, "cleo": 0.06, "dan": 0.25}
CARELESS = "dan"
# So that answers of one person to one task are one answer, however often the demo is run.
_NAMESPACE = uuid.UUID("6f1e3a52-0d53-4a0e-9c0b-5b8d2a3c7e11")


@dataclass(frozen=True)
class Person:
    """A simulated annotator and their session in Label Studio."""

    mind: SimulatedAnnotator
    session: Annotator


def minds() -> list[SimulatedAnnotator]:
    """Return the four annotators without their sessions, for simulated arms."""
    return [SimulatedAnnotator(name, rate, SEED) for name, rate in ERROR_RATES.items()]


def hire(server: LabelStudio, password: str) -> list[Person]:
    """Return the four annotators, logged in; who has no account yet joins by invite link."""
    return [Person(mind, server.annotator(f"{mind.name}@demo.example", password)) for mind in minds()]


def annotate(
    people: list[Person],
    ls_project: int,
    truth: Mapping[str, str],
    answer_of: Callable[[str], list[Json]],
    advance: Callable[[int], None],
) -> int:
    """Let everybody answer what the server hands out until nothing is left, and return how many answers there were.

    Args:
        people: who answers, concurrently.
        ls_project: number of the Label Studio project.
        truth: true label of every unit.
        answer_of: turns a value into a Label Studio result.
        advance: told of each answer.
    """
    classes = sorted(set(truth.values()))

    def work(person: Person) -> int:
        done = 0
        while task := person.session.next_task(ls_project):
            value = person.mind.answer(task.unit_id, truth[task.unit_id], classes)
            key = uuid.uuid5(_NAMESPACE, f"{person.mind.name}/{ls_project}/{task.task_id}")
            person.session.submit(
                task.task_id, answer_of(value), lead_time=_seconds(person, task.unit_id), key=str(key)
            )
            advance(1)
            done += 1
        return done

    # A task another one holds is handed to nobody else, so who finds nothing may find something a moment later.
    answers = 0
    with ThreadPoolExecutor(len(people)) as pool:
        while given := sum(pool.map(work, people)):
            answers += given
    return answers


def _seconds(person: Person, unit: str) -> float:
    """Return how long this answer took: 2 to 6 s, half of that for the careless."""
    share = uuid.uuid5(_NAMESPACE, f"{person.mind.name}/{unit}").int / 2**128
    return round((2 + 4 * share) * (0.5 if person.mind.name == CARELESS else 1.0), 2)
