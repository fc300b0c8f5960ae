"""Expectation maximisation: the loop of Dawid-Skene, one-coin, MACE and GLAD, which differ in both of its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from labelloop.agreement.ratings import FloatArray, IntArray
from labelloop.consensus.posterior import Settings, rule

Parameters = TypeVar("Parameters")


class Fit(NamedTuple, Generic[Parameters]):
    """Probabilities (units, classes), what they were computed from, and whether the loop came to rest."""

    probabilities: FloatArray
    parameters: Parameters
    converged: bool
    steps: int


def maximise(
    votes: FloatArray,
    start: Parameters,
    known: IntArray,
    settings: Settings,
    *,
    learn: Callable[[FloatArray, Parameters], Parameters],
    expect: Callable[[Parameters], FloatArray],
) -> Fit[Parameters]:
    """Probabilities and parameters after alternating both steps, from the votes on.

    Args:
        votes: first probabilities, (units, classes); nothing is random.
        start: parameters before the first step.
        known: class of each unit that an expert ruled, -1 without a ruling; it stays certain.
        settings: when to stop.
        learn: parameters from probabilities and the parameters before.
        expect: probabilities from parameters.
    """
    posterior, parameters = votes, learn(votes, start) if votes.size else start
    converged, steps = not votes.size, 0
    while not converged and steps < settings.max_iter:
        previous, posterior = posterior, rule(expect(parameters), known)
        parameters = learn(posterior, parameters)
        converged = bool(np.abs(posterior - previous).sum() < settings.tol * len(posterior))
        steps += 1
    return Fit(posterior, parameters, converged, steps)
