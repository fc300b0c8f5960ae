"""The section `sampling` of a spec: how a round's batch is chosen, and what surrounds the strategy.

The same sections are the parameters of `labelloop.sampling`, so that spec, command line and Python say one thing.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from labelloop.spec.sections import Section

Strength = Annotated[float, Field(ge=0, le=10)]
AtMost = Annotated[int, Field(ge=1)]


class Objectives(Section):
    """What makes a reference worth its place: each objective counts to its strength, 0 leaves it out."""

    score: str = Field(default="margin", description="the acquisition score meant by uncertainty")
    uncertainty: Strength = 1.0
    diversity: Strength = Field(default=1.0, description="distance to what is labelled or chosen")
    balance: Strength = Field(default=0.0, description="strata with few labels first")
    recency: Strength = Field(default=0.0, description="what was seen lately first")
    cost: Strength = Field(default=0.0, description="cheap references first")
    half_life_days: float = Field(default=30.0, gt=0, description="recency halves in so many days")


class Quotas(Section):
    """At most so many picks of one stratum, data subject or source; for strata also by name."""

    stratum: AtMost | dict[str, Annotated[int, Field(ge=0)]] | None = None
    subject: AtMost | None = None
    source: AtMost | None = None


class NearDuplicates(Section):
    """Whose near-duplicates are never chosen: those of what is labelled, asked about or chosen."""

    exact: bool = Field(default=True, description="the same bytes")
    perceptual_bits: int | None = Field(
        default=None, ge=0, le=16, description="images whose 64-bit perceptual hashes differ in at most so many bits"
    )
    radius: float | None = Field(default=None, gt=0, description="embeddings at most so far apart (Euclidean)")


class Budget(Section):
    """What a round may cost, in hours of annotators' time; money is told beside it."""

    hours_per_round: float | None = Field(default=None, gt=0)
    seconds_per_answer: float = Field(default=30.0, gt=0, description="expected until enough answers were timed")
    rate_per_hour: float = Field(default=0.0, ge=0)
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")


class Unit(Section):
    """What an annotator is asked about at a time."""

    kind: Literal["single", "pair", "list", "group"] = Field(
        default="single", description="one reference, two to compare, several to rank, or near-duplicates together"
    )
    size: int = Field(default=5, ge=2, le=100, description="references in a list; in a group at most")
    shared: int = Field(default=1, ge=1, description="references that one list shares with the next")
    comparisons: int = Field(default=3, ge=2, description="pairs that each reference takes part in, on average")

    @model_validator(mode="after")
    def _lists_move_on(self) -> Self:
        if self.shared >= self.size:
            raise ValueError(f"shared is {self.shared} of lists of {self.size}; a list needs a reference of its own")
        return self


class Sampling(Section):
    """How a round's batch is chosen."""

    strategy: str = "auto"
    batch_size: int = Field(default=100, ge=0, le=100_000)
    audit_rate: float = Field(default=0.1, ge=0, lt=1, description="share of all units kept for evaluation, for ever")
    explore_share: float = Field(default=0.1, ge=0, lt=1, description="share of a batch drawn at random")
    gold_share: float = Field(
        default=0.0, ge=0, lt=1, description="share of a batch whose answers experts have given"
    )
    repeat_share: float = Field(default=0.0, ge=0, lt=1, description="share of a batch that was answered before")
    onboarding: int = Field(
        default=0, ge=0, le=100, description="units with an expert's answer that everybody answers first"
    )
    max_open_tasks: int = Field(default=500, ge=0, description="no new tasks beyond so many open ones")
    backlog_days: float = Field(default=28.0, gt=0, description="nor beyond what people answer in so many days")
    score_days: float = Field(default=90.0, gt=0, description="by older scores, a batch smaller in proportion")
    seed: int = 0
    objectives: Objectives = Objectives()
    near_duplicates: NearDuplicates = NearDuplicates()
    quotas: Quotas = Quotas()
    budget: Budget = Budget()
    unit: Unit = Unit()

    @model_validator(mode="after")
    def _shares_leave_a_batch(self) -> Self:
        shares = self.audit_rate + self.explore_share + self.gold_share + self.repeat_share
        if shares > 1:
            raise ValueError(f"the shares of the batch sum to {shares:g}; they may sum to at most 1")
        return self
