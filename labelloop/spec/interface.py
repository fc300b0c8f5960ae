"""The `interface` section of a spec: what an annotator is shown, and what is asked about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, WrapValidator, model_validator

from labelloop.errors import SpecError
from labelloop.spec.confirmation import confirmation
from labelloop.spec.from_xml import fields_of, questions_of
from labelloop.spec.question import MARKS, ON_IMAGES, RELATION, Label, Question, refuse_ambiguous
from labelloop.spec.sections import Section
from labelloop.spec.shown import MediaKind, Name, Series, Shown

__all__ = ["Interface", "Label", "Question"]

# What every task holds beside what it shows.
_TAKEN: Final = frozenset(["unit", "ref"])
# What each kind of question can be about; a question of any other kind is about anything.
_ABOUT: Final = {
    **dict.fromkeys(ON_IMAGES, ("image",)),
    "span": ("text", "dialogue"),
    "segment": ("audio", "time_series"),
    "track": ("video",),
    "timeline": ("video",),
    "ranking": ("items",),
}


def _as_read(given: Any, checked: Callable[[Any], Question]) -> Question:
    """What Label Studio takes may be what a spec would refuse: a box without labels, one choice alone."""
    return given if isinstance(given, Question) else checked(given)


class Interface(Section):
    """What is asked about the media of a unit: in questions, or as Label Studio's XML, from which these are read."""

    media: MediaKind = Field(
        default="image",
        description="dialogue: a JSON list of {author, text}; record: a JSON object whose `fields` are shown",
    )
    layout: Literal["single", "pair", "list"] = Field(
        default="single", description="one object, two side by side, or several to sort; see sampling.unit.kind"
    )
    fields: tuple[Shown, ...] = Field(default=(), description="of a record: what is shown of it, in this order")
    series: Series | None = Field(default=None, description="of time series: their columns")
    frame_rate: float | None = Field(default=None, gt=0, le=1000, description="of videos; 24 if not said")
    notes: str | None = Field(default=None, min_length=1, max_length=20_000, description="to look up while at work")
    questions: tuple[Annotated[Question, WrapValidator(_as_read)], ...] = Field(
        default=(), description="at least one, or xml"
    )
    remarks: tuple[Name, ...] = Field(
        default=(), description="texts in everybody's own words, as reasons: never a conflict, nor waited for"
    )
    xml: str | None = Field(
        default=None, description="a labelling configuration taken as it is, or the name of its file beside the spec"
    )

    @model_validator(mode="before")
    @classmethod
    def _read_off_xml(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("xml") is None:
            return given
        if mixed := sorted(given.keys() - {"xml", "media", "layout", "remarks"}):
            raise ValueError(f"xml says everything itself, but {', '.join(mixed)} is given beside it; remove either")
        try:
            questions, fields = questions_of(given["xml"]), fields_of(given["xml"])
        except SpecError as error:  # to be listed with what else is wrong
            raise ValueError(str(error)) from None
        if not fields:
            raise ValueError('xml shows no field of a task; give an object value="$field"')
        return given | {"questions": questions, "fields": fields}

    @model_validator(mode="after")
    def _media_and_layout_fit(self) -> Self:
        if not self.questions:
            raise ValueError("questions: nothing is asked; give at least 1, or xml with a control")
        if self.layout != "single" and self.media == "record":
            raise ValueError("a record is shown by itself; put what is compared or sorted into its fields")
        if self.layout == "list" and self.media not in ("image", "text"):
            raise ValueError(f"a list cannot show {self.media}; choose image or text")
        if self.xml is None and (self.media == "record") != bool(self.fields):
            raise ValueError(f"fields belong to media record and it to them, but media is {self.media!r}")
        kinds = {field.kind for field in self.shown}
        if self.xml is None and ("time_series" in kinds) != bool(self.series):
            raise ValueError(f"series belongs to a time series and it to it, but {_told(self.shown)} is shown")
        if self.frame_rate and "video" not in kinds:
            raise ValueError(f"frame_rate is of videos, but {_told(self.shown)} is shown; remove it")
        return self

    @model_validator(mode="after")
    def _names_of_tasks_stay_free(self) -> Self:
        if taken := sorted({field.name for field in self.shown} & _TAKEN):
            raise ValueError(f"a field is called {', '.join(taken)}, as labelloop calls its own; rename it")
        return self

    @model_validator(mode="after")
    def _questions_fit_what_is_shown(self) -> Self:
        if self.xml is not None:
            self._check_fields()
            return self
        self._check_names()
        for place, question in enumerate(self.questions):
            self._check_condition(question, self.questions[:place])
            self._check_aim(question)
        return self

    @model_validator(mode="after")
    def _remarks_are_texts(self) -> Self:
        texts = [question.name for question in self.questions if question.type == "text" and not question.per_mark]
        if unfit := sorted(set(self.remarks) - set(texts)):
            raise ValueError(f"remarks: {', '.join(unfit)}; questions of text about the whole object are {texts}")
        return self

    @property
    def shown(self) -> tuple[Shown, ...]:
        """The fields of a task's data that are shown, in their order."""
        if self.fields:
            return self.fields
        if self.layout == "list":
            return (Shown(name="items", kind="items"),)
        names = ("left", "right") if self.layout == "pair" else (self.media,)
        return tuple(Shown.model_validate({"name": name, "kind": self.media}) for name in names)

    @property
    def confirmations(self) -> tuple[Question, ...]:
        """The questions that confirm an answer which Label Studio cannot demand; see `confirmation`."""
        due = (confirmation(question) for question in self.questions)
        return tuple(question for question in due if question is not None)

    @property
    def compared(self) -> tuple[Question, ...]:
        """The questions whose answers annotators should agree on: neither remarks nor relations."""
        return tuple(one for one in self.questions if one.name not in self.remarks and one.type != RELATION)

    @property
    def asked(self) -> tuple[Question, ...]:
        """Every control that can be answered: the questions, and after all of them their confirmations."""
        return self.questions + self.confirmations

    def aims(self, question: Question) -> tuple[str, ...]:
        """Return the names of the fields a question is about: those it names, else the first it can be about."""
        if question.about:
            return question.about
        if question.per_mark:
            return self.aims(self.marked_for(question))
        possible = [field.name for field in self.shown if field.kind in _ABOUT.get(question.type, (field.kind,))]
        return tuple(possible[: 2 if question.type == "pairwise" else 1])

    def marked_for(self, question: Question) -> Question:
        """Return the question whose marks a question of each mark is asked of: the one it names, else the first."""
        named = question.when.question if question.when else None
        return next(one for one in self.questions if one.type in MARKS and named in (None, one.name))

    def _check_names(self) -> None:
        refuse_ambiguous("question", [(question.name, question.renamed_from) for question in self.questions])
        names = [question.name for question in self.asked] + [field.name for field in self.shown]
        labels = [one for question in self.questions for label in question.labels for one in label.family()]
        for what, values in (("question", names), ("hotkey", [one.hotkey for one in labels if one.hotkey])):
            if twice := sorted({value for value in values if values.count(value) > 1}):
                raise ValueError(f"{what} {', '.join(map(repr, twice))} appears twice; each must be distinct")
        if len([question for question in self.questions if question.type == "relation"]) > 1:
            raise ValueError("two questions ask for relations, which Label Studio stores without a name; ask one")

    def _check_fields(self) -> None:
        given = ["items"] if self.layout == "list" else [self.media] * (2 if self.layout == "pair" else 1)
        if self.media != "record" and [field.kind for field in self.shown] != given:
            raise ValueError(
                f"xml shows {_told(self.shown)}, but media {self.media!r} in layout {self.layout!r} gives "
                f"{' and '.join(given)}; change either, or choose media record"
            )

    def _check_condition(self, question: Question, earlier: tuple[Question, ...]) -> None:
        kinds = MARKS if question.per_mark else {"choices"}
        possible = {one.name: one.labels for one in earlier if one.type in kinds}
        if question.per_mark and not possible:
            raise ValueError(f"question {question.name!r} is asked of each mark, and nothing is marked before it")
        if not question.when:
            return
        name, labels = question.when.question, question.when.labels
        if name not in possible:
            raise ValueError(f"question {question.name!r} waits for {name!r}; it can wait for {sorted(possible)}")
        known = {one.value for label in possible[name] for one in label.family()}
        if unknown := sorted(set(labels) - known):
            raise ValueError(f"question {question.name!r} waits for {unknown}; labels there are {sorted(known)}")

    def _check_aim(self, question: Question) -> None:
        kinds = {field.name: field.kind for field in self.shown}
        wanted = 2 if question.type == "pairwise" else 1
        aims, possible = self.aims(question), _ABOUT.get(question.type)
        unfit = [name for name in aims if name not in kinds or (possible and kinds[name] not in possible)]
        if len(set(aims)) != wanted or unfit:
            raise ValueError(
                f"question {question.name!r}: {question.type} is asked about {wanted} field(s) of kind "
                f"{' or '.join(possible or ('any',))}; shown are {_told(self.shown)}"
            )


def _told(fields: tuple[Shown, ...]) -> str:
    return ", ".join(f"{field.name} ({field.kind})" for field in fields) or "nothing"
