"""One question of an interface: what kind of answer it wants, about what, and what an answer may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Literal, Self, get_args

from pydantic import Field, model_validator

from labelloop.spec.sections import Section
from labelloop.spec.shown import Name

ControlType = Literal[
    "choices",
    "taxonomy",
    "rating",
    "number",
    "datetime",
    "text",
    "pairwise",
    "ranking",
    "rectangle",
    "ellipse",
    "polygon",
    "keypoint",
    "mask",
    "span",
    "segment",
    "track",
    "timeline",
    "relation",
]
CONTROL_TYPES: Final[tuple[str, ...]] = get_args(ControlType)
ON_IMAGES: Final = frozenset(["rectangle", "ellipse", "polygon", "keypoint", "mask"])
# Answers that are marks on an object, any number of them.
MARKS: Final = ON_IMAGES | {"span", "segment", "track", "timeline"}
RELATION: Final = "relation"  # whose answers nobody compares: the gate does not wait for them
# How many labels a question needs at least; Label Studio takes <Choices> with one choice for a mistake.
_FEWEST: Final = {"choices": 2, "taxonomy": 1} | dict.fromkeys(MARKS, 1)
_LABELLED: Final = frozenset(_FEWEST) | {"ranking", "relation"}
_OF_EACH_MARK: Final = frozenset(["choices", "rating", "number", "text"])
# Which settings only some kinds of question have.
_SETTINGS: Final = {
    "multiple": frozenset(["choices", "taxonomy"]),
    "leaves_only": frozenset(["taxonomy"]),
    "minimum": frozenset(["number"]),
    "maximum": frozenset(["number", "rating"]),
    "step": frozenset(["number"]),
    "lines": frozenset(["text"]),
    "only": frozenset(["datetime"]),
}
# What Label Studio shows of labels, for some kinds of question only.
_SHOWN_OF_LABELS: Final = {
    "hotkey": MARKS | {"choices"},
    "color": MARKS | {"choices", "taxonomy", "relation"},
    "hint": MARKS | {"choices", "taxonomy"},
}
# The column of a Ranker that holds what is in no bucket yet.
UNSORTED: Final = "_"
# The editor loses what is dragged into a bucket of the second name: JavaScript means something else by it.
_NO_BUCKETS: Final = (UNSORTED, "__proto__")


def refuse_ambiguous(what: str, names: Sequence[tuple[str, str | None]]) -> None:
    """Pass if each old name leads to one new name; one that is still in use, or given twice, does not."""
    old = [before for _, before in names if before]
    wrong = sorted({name for name in old if old.count(name) > 1 or name in {now for now, _ in names}})
    if wrong:
        raise ValueError(
            f"renamed_from {', '.join(map(repr, wrong))} is still a {what} or given twice; "
            "answers could not be told apart"
        )


class Label(Section):
    """One possible answer."""

    value: str = Field(min_length=1, max_length=10_000)
    hotkey: str | None = Field(default=None, max_length=20)
    color: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    hint: str | None = Field(
        default=None, min_length=1, max_length=500, description="shown when the mouse rests on it"
    )
    children: tuple[Label, ...] = Field(default=(), description="of a taxonomy: what lies below")
    renamed_from: str | None = Field(default=None, min_length=1, description="its old name, to be mended in answers")

    def family(self) -> Iterator[Label]:
        """Yield the label and all below it."""
        yield self
        for child in self.children:
            yield from child.family()


class When(Section):
    """The condition under which a question is asked."""

    question: Name = Field(description="of choices, or of marks; those of each mark then ask about its marks alone")
    labels: tuple[str, ...] = Field(default=(), description="one of them was given; empty: any")

    @model_validator(mode="after")
    def _labels_without_commas(self) -> Self:
        if torn := [label for label in self.labels if "," in label]:
            raise ValueError(
                f"{torn} hold a comma, at which Label Studio would cut them; give such a label another name"
            )
        return self


class Question(Section):
    """One control of the interface."""

    name: Name
    renamed_from: Name | None = Field(default=None, description="its old name, to be mended in answers")
    type: ControlType = "choices"
    prompt: str = Field(min_length=1, max_length=10_000)
    labels: tuple[Label, ...] = Field(
        default=(), description="possible answers; of a ranking its buckets, none for one order of all"
    )
    multiple: bool = Field(default=False, description="several labels in one answer")
    required: bool = Field(
        default=True,
        description="no submission without an answer; marks, order and side are confirmed by a question of their own",
    )
    about: tuple[Name, ...] = Field(default=(), description="which fields it is about, where there are several")
    per_mark: bool = Field(default=False, description="asked of each mark, not of the whole object")
    when: When | None = Field(default=None, description="asked only then")
    minimum: float | None = None
    maximum: float | None = Field(default=None, description="of a rating: how many stars, 5 if not said")
    step: float | None = Field(default=None, gt=0)
    lines: int | None = Field(default=None, ge=1, le=50, description="height of a text's field")
    only: Literal["date", "time", "year"] | None = Field(default=None, description="of a datetime: this part alone")
    leaves_only: bool = Field(default=False, description="of a taxonomy: nothing that has something below it")

    @model_validator(mode="after")
    def _settings_fit_the_type(self) -> Self:
        given = [name for name in _SETTINGS if getattr(self, name) != type(self).model_fields[name].default]
        misplaced = [name for name in given if self.type not in _SETTINGS[name]]
        if misplaced:
            raise ValueError(f"{', '.join(misplaced)} means nothing for {self.type}; remove it")
        if self.per_mark and self.type not in _OF_EACH_MARK:
            raise ValueError(f"{self.type} cannot be asked of each mark; choose {', '.join(sorted(_OF_EACH_MARK))}")
        if self.per_mark and self.when and self.required and self.type in ("rating", "number"):
            raise ValueError(f"Label Studio would demand the {self.type} of every mark; leave out when, or required")
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(f"minimum is {self.minimum}, not below maximum {self.maximum}; lower it")
        if self.type == "rating" and not float(self.maximum or 5).is_integer():
            raise ValueError(f"maximum is {self.maximum}; a rating has whole stars")
        return self

    @model_validator(mode="after")
    def _labels_fit_the_type(self) -> Self:
        if self.labels and self.type not in _LABELLED:
            raise ValueError(f"{self.type} takes no labels; remove them")
        if len(self.labels) < _FEWEST.get(self.type, 0):
            raise ValueError(f"{self.type} needs at least {_FEWEST[self.type]} label(s), not {len(self.labels)}")
        if self.type != "taxonomy" and any(label.children for label in self.labels):
            raise ValueError(f"labels of {self.type} have no children; choose type taxonomy")
        if self.type == "ranking" and (taken := [name for name in _NO_BUCKETS if name in self.values]):
            raise ValueError(f"no bucket may be called {taken[0]!r}, which means something else; rename it")
        return self

    @model_validator(mode="after")
    def _nothing_of_labels_is_left_out(self) -> Self:
        everyone = [one for label in self.labels for one in label.family()]
        for name, types in _SHOWN_OF_LABELS.items():
            if self.type not in types and any(getattr(one, name) for one in everyone):
                raise ValueError(f"Label Studio shows no {name} for labels of {self.type}; remove it")
        return self

    @model_validator(mode="after")
    def _labels_and_hotkeys_are_distinct(self) -> Self:
        everyone = [one for label in self.labels for one in label.family()]
        siblings = [self.labels, *(label.children for label in everyone)]
        for what, lists in (
            ("label", [[label.value for label in labels] for labels in siblings]),
            ("hotkey", [[label.hotkey for label in everyone if label.hotkey]]),
        ):
            twice = sorted({value for values in lists for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(map(repr, twice))} appears twice; each must be distinct")
        return self

    @model_validator(mode="after")
    def _old_labels_are_no_labels(self) -> Self:
        everyone = [one for label in self.labels for one in label.family()]
        refuse_ambiguous("label", [(one.value, one.renamed_from) for one in everyone])
        return self

    @property
    def values(self) -> tuple[str, ...]:
        """What the labels are called, those of a taxonomy at the top."""
        return tuple(label.value for label in self.labels)
