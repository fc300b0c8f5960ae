"""The sections of a labelling project spec, except its interface."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Section(BaseModel):
    """A part of the spec: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Guidelines(Section):
    """What annotators are told; versioned by digest."""

    text: str = Field(min_length=1, description="Markdown")


class Overlap(Section):
    """How many opinions a unit gets."""

    share: float = Field(default=0.1, ge=0, le=1, description="share of units asked of several annotators")
    uncertain_share: float = Field(
        default=0.1, ge=0, le=1, description="of the chosen units the share that the model is least sure of, as well"
    )
    annotators: int = Field(default=2, ge=2, description="planned opinions on those")
    maximum: int = Field(default=4, ge=1, description="opinions at most, when annotators disagree")
    extra_share: float = Field(
        default=1.0, ge=0, description="further opinions at most, for each unit of a round, when annotators disagree"
    )

    @model_validator(mode="after")
    def _planned_below_maximum(self) -> Self:
        if self.annotators > self.maximum:
            raise ValueError(f"annotators is {self.annotators}, above maximum {self.maximum}; raise maximum")
        return self


class Annotators(Section):
    """Who answers."""

    count: int = Field(ge=1, description="people who work on the project")
    experts: int = Field(default=0, ge=0, description="of them, experts; named in settings, never here")
    figures: Literal["none", "lead"] = Field(
        default="lead", description="figures of single people, under pseudonyms: none, or in the lead's report alone"
    )
    figures_days: int = Field(default=180, ge=1, description="how long those of past rounds are kept")
    hourly_rate: float | None = Field(default=None, ge=0, description="pay, for the cost of an accepted label")


class Predictions(Section):
    """What annotators see of the model."""

    show: bool = Field(default=False, description="pre-fill the model's answer; hides nothing from statistics")
    blind_share: float = Field(
        default=0.1, ge=0, le=1, description="of units that nevertheless show nothing of a model, to see what it does"
    )


class View(Section):
    """A tab of Label Studio's data manager."""

    title: str = Field(min_length=1, max_length=100)
    show: Literal["all", "waiting", "answered", "skipped"] = Field(default="all", description="which tasks")
    order: Literal["queue", "newest"] = Field(default="queue", description="least sure first, or changed last first")
    part: int | None = Field(default=None, ge=1, description="this one of `parts` disjoint shares of the tasks")
    parts: int = Field(
        default=1, ge=1, le=16, description="as many as people who label as displayed: locks fail there"
    )

    @model_validator(mode="after")
    def _part_of_parts(self) -> Self:
        if (self.part is None) != (self.parts == 1) or (self.part or 1) > self.parts:
            raise ValueError(f"view {self.title!r} is part {self.part} of {self.parts}; number parts from 1")
        return self


class Workbench(Section):
    """How the project in Label Studio is kept."""

    edited_settings: Literal["overwrite", "keep"] = Field(
        default="overwrite", description="settings and views changed there by hand; plan names them either way"
    )
    views: tuple[View, ...] = Field(default=(), description="tabs to set up beside those people make")


class Quality(Section):
    """When agreement is enough."""

    gate: float = Field(default=0.6, ge=-1, le=1, description="below it nothing is published")
    alarm: float = Field(default=0.4, ge=-1, le=1, description="below it people are called")
    n_min: int = Field(default=5, ge=2, description="no figure on fewer units")
    accept_confidence: float = Field(default=0.7, ge=0, le=1, description="a label below it is a conflict")
    disappearance_limit: float = Field(
        default=0.2, ge=0, le=1, description="more vanished tasks than this share stops collect"
    )


class Export(Section):
    """How a training set is cut."""

    validation_share: float = Field(default=0.1, ge=0, lt=1)
    test_share: float = Field(default=0.1, ge=0, lt=1)
    salt: str = Field(default="labelloop", description="fixes the splits for ever; never change it")
    recipients: tuple[str, ...] = Field(
        default=(), description="who is given the training sets: teams, firms; receipts name them (GDPR article 19)"
    )

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        if self.validation_share + self.test_share >= 1:
            raise ValueError(
                f"validation_share {self.validation_share} and test_share {self.test_share} leave nothing to train on"
            )
        return self


class Erasure(Section):
    """Limits around erasure."""

    max_objects_without_approval: int = Field(default=1000, ge=1)
    purge: Literal["daily", "now"] = Field(
        default="daily", description="when files of deleted rows go: `now` cuts off readers of old table versions"
    )
    models: Literal["keep", "stop", "retrain"] = Field(
        default="stop", description="one trained on erased rows goes on, scores no more, or not after retrain_days"
    )
    suppress_content: bool = Field(
        default=False, description="also keep the same bytes away under any name; arriving bytes are read for it"
    )
    retrain_days: int = Field(default=30, ge=1, le=365, description="how long `retrain` lets such a model score")
