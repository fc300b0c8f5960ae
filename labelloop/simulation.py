"""Annotators with a known error rate, and whole labelling rounds with them instead of people.

What a strategy gains can be measured this way on data whose truth is known, by the same functions that choose,
resolve and train in earnest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.stats import t
from sklearn.pipeline import Pipeline

from labelloop.consensus import aggregate
from labelloop.errors import InputError, NotEstimable
from labelloop.retrain import evaluate, fit
from labelloop.sampling import compose_batch
from labelloop.vectors import lists_of


@dataclass(frozen=True)
class SimulatedAnnotator:
    """An annotator who errs at a fixed rate, and gives the same answer whenever asked the same.

    >>> careful = SimulatedAnnotator("ann", error_rate=0.0, seed=0)
    >>> careful.answer("unit 1", "cat", ["cat", "dog"])
    'cat'
    """

    name: str
    error_rate: float
    seed: int

    def answer(self, unit_key: str, truth: str, classes: Sequence[str]) -> str:
        """The truth, or at the error rate one of the other classes, all equally likely.

        The answer depends on seed, name and unit key alone. With a single class it is the truth.

        Raises:
            InputError: the truth is not among the classes.
        """
        if truth not in classes:
            raise InputError("the true label is not among the classes", remedy="give every class")
        others = [name for name in classes if name != truth]
        key = "\x00".join([str(self.seed), self.name, unit_key]).encode()
        digest = hashlib.blake2b(key, digest_size=16).digest()
        chance, choice = (int.from_bytes(part) / 2**64 for part in (digest[:8], digest[8:]))
        return others[int(choice * len(others))] if others and chance < self.error_rate else truth


class Difference(NamedTuple):
    """Mean of n paired differences with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Crew:
    """Annotators, and the share of units that all of them answer; each other unit is answered by one."""

    annotators: Sequence[SimulatedAnnotator]
    overlap_share: float


def learning_curve(
    features: NDArray[np.floating],
    truth: Sequence[str],
    *,
    strategy: str,
    rounds: int,
    batch_size: int,
    annotators: Sequence[SimulatedAnnotator],
    overlap_share: float,
    seed: int,
    test_index: NDArray[np.integer],
    audit_rate: float = 0.0,
    explore_share: float = 0.0,
) -> list[float]:
    """Accuracy on the test rows after each round of choosing, answering, resolving and training.

    The features serve as embedding and as what the model sees. Audit rows cost answers and are never trained on. Arms
    that differ in `strategy` alone spend the same number of answers and meet the same annotators.

    Args:
        features: (n, d).
        truth: n true labels.
        strategy: as for `labelloop.sampling.select`.
        rounds: how many.
        batch_size: units in each round.
        annotators: who answers.
        overlap_share: share of the units of a round answered by all annotators, 0 to 1.
        seed: of the choice and of who answers what.
        test_index: rows kept for the test, never chosen.
        audit_rate: as for `labelloop.sampling.compose_batch`.
        explore_share: as for `labelloop.sampling.compose_batch`.

    Raises:
        InputError: what choosing, resolving or training cannot use.
    """
    labels, crew = np.array(truth, dtype=str), Crew(annotators, overlap_share)
    train = np.setdiff1d(np.arange(len(labels)), test_index)
    pool = pa.table({"ref_id": [_key(row) for row in train], "embedding": lists_of(features[train])})
    batches: list[pa.Table] = []
    answers: list[pa.Table] = []
    curve: list[float] = []
    model: Pipeline | None = None
    for number in range(1, rounds + 1):
        batch = compose_batch(
            _predicted(pool, features[train], model),
            size=batch_size,
            strategy=strategy,
            seed=seed,
            round_number=number,
            salt=str(seed),
            audit_rate=audit_rate,
            explore_share=explore_share,
            labelled=_asked(pool, batches),
        )
        batches.append(batch)
        answers.append(_answers(batch, labels, crew, np.random.default_rng([seed, number])))
        model = _train(features, pa.concat_tables(answers), _audited(batches), seed)
        curve.append(evaluate(model, features[test_index], labels[test_index].tolist()).accuracy)
    return curve


def paired_difference(active: Sequence[float], random: Sequence[float], confidence: float = 0.95) -> Difference:
    """Mean of active minus random over the same seeds, with its t interval (Student, 1908).

    Raises:
        InputError: the sequences differ in length.
        NotEstimable: there are fewer than two pairs.

    >>> paired_difference([0.9, 0.8], [0.8, 0.7]).n
    2
    """
    if len(active) != len(random):
        raise InputError(f"{len(active)} and {len(random)} figures cannot be paired", remedy="use the same seeds")
    if len(active) < 2:
        raise NotEstimable("one pair has no interval", remedy="give at least two seeds")
    gains = np.subtract(active, random)
    mean, n = float(gains.mean()), len(gains)
    half = float(t.ppf(0.5 + confidence / 2, n - 1) * gains.std(ddof=1) / np.sqrt(n))
    return Difference(mean, mean - half, mean + half, n)


def _key(row: int) -> str:
    return f"{row:08d}"


def _predicted(pool: pa.Table, features: NDArray[np.floating], model: Pipeline | None) -> pa.Table:
    if model is None:
        return pool
    return pool.append_column("probabilities", lists_of(model.predict_proba(features)))


def _asked(pool: pa.Table, batches: list[pa.Table]) -> pa.Table:
    """What was asked before, with its embedding."""
    keys = [key for batch in batches for key in batch["ref_id"].to_pylist()]
    return pool.filter(pc.is_in(pool["ref_id"], value_set=pa.array(keys, pa.string())))


def _answers(batch: pa.Table, truth: NDArray[np.str_], crew: Crew, rng: np.random.Generator) -> pa.Table:
    """Ratings of a batch: a random part of the units by all annotators, each other by one drawn at random."""
    keys, classes = batch["ref_id"].to_pylist(), np.unique(truth).tolist()
    shared = rng.permutation(len(keys)) < round(len(keys) * crew.overlap_share)
    single = rng.integers(len(crew.annotators), size=len(keys))
    asked = [
        (key, annotator)
        for key, by_all, one in zip(keys, shared, single, strict=True)
        for annotator in (crew.annotators if by_all else [crew.annotators[one]])
    ]
    return pa.table(
        {
            "unit": [key for key, _ in asked],
            "annotator": [annotator.name for _, annotator in asked],
            "value": [annotator.answer(key, str(truth[int(key)]), classes) for key, annotator in asked],
        }
    )


def _audited(batches: list[pa.Table]) -> set[str]:
    rows = pa.concat_tables(batches)
    return set(rows.filter(pc.equal(rows["stratum"], "audit"))["ref_id"].to_pylist())


def _train(features: NDArray[np.floating], ratings: pa.Table, audited: set[str], seed: int) -> Pipeline:
    """A model fitted on the resolved labels; ties and audit units teach nothing."""
    resolved = aggregate(ratings, method="dawid-skene").to_pylist()
    known = {
        int(row["unit"]): row["label"] for row in resolved if row["label"] is not None and row["unit"] not in audited
    }
    return fit(features[list(known)], list(known.values()), seed=seed)
