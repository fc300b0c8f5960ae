"""The `interface` section of a spec: what an annotator is asked, about which media."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from labelloop.spec.sections import Section


class Label(Section):
    """One possible answer."""

    value: str = Field(min_length=1, max_length=200)
    hotkey: str | None = Field(default=None, max_length=20)
    color: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")


class Question(Section):
    """One control of the interface."""

    name: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")
    type: Literal["choices"] = "choices"
    prompt: str = Field(min_length=1, max_length=500)
    multiple: bool = False
    required: bool = True
    labels: tuple[Label, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _labels_and_hotkeys_are_distinct(self) -> Self:
        for what, values in (
            ("label", [label.value for label in self.labels]),
            ("hotkey", [label.hotkey for label in self.labels if label.hotkey]),
        ):
            twice = sorted({v for v in values if values.count(v) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(map(repr, twice))} appears twice; each must be distinct")
        return self


class Interface(Section):
    """The questions asked about one media object."""

    media: Literal["image", "text"] = "image"
    questions: tuple[Question, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _question_names_are_distinct(self) -> Self:
        names = [q.name for q in self.questions]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"question {', '.join(map(repr, twice))} appears twice; each must be distinct")
        return self
