"""The whole spec of a labelling project and how it is read.

Sections live in `sections.py`. Secrets never appear in a spec: they come from settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from labelloop.errors import InputError, SpecError
from labelloop.spec.consensus import Consensus
from labelloop.spec.interface import Interface
from labelloop.spec.media import Media
from labelloop.spec.model import Model
from labelloop.spec.review import Review
from labelloop.spec.sampling import Sampling
from labelloop.spec.sections import (
    Annotators,
    Erasure,
    Export,
    Guidelines,
    Overlap,
    Predictions,
    Quality,
    Section,
    Workbench,
)

PROJECT_NAME: Final = r"^[a-z][a-z0-9-]{1,39}$"
# Which kinds of unit an interface can show; of near-duplicates it shows the first, or all.
_SHOWN_BY: Final = {"single": ("single", "group"), "pair": ("pair",), "list": ("list", "group")}


class ProjectSpec(Section):
    """What one labelling project is: media, question, people, sampling, quality, export."""

    name: str = Field(pattern=PROJECT_NAME, description="also the folder of its tables")
    title: str = Field(min_length=3, max_length=50, description="project title in Label Studio")
    media: Media
    interface: Interface
    guidelines: Guidelines
    sampling: Sampling = Sampling()
    overlap: Overlap = Overlap()
    annotators: Annotators
    model: Model = Model()
    predictions: Predictions = Predictions()
    workbench: Workbench = Workbench()
    quality: Quality = Quality()
    consensus: Consensus = Consensus()
    review: Review = Review()
    export: Export = Export()
    erasure: Erasure = Erasure()

    @model_validator(mode="after")
    def _imported_labels_answer_a_question(self) -> Self:
        asked = {question.name for question in self.interface.questions}
        for given in self.consensus.imported:
            if asked and given.control not in asked:
                raise ValueError(
                    f"consensus.imported {given.source!r} answers {given.control!r}, which is no question; "
                    f"give one of {', '.join(sorted(asked))}"
                )
        return self

    @model_validator(mode="after")
    def _overlap_needs_annotators(self) -> Self:
        if self.overlap.maximum > self.annotators.count:
            raise ValueError(
                f"overlap.maximum is {self.overlap.maximum}, but annotators.count is {self.annotators.count}; "
                "a task cannot have more opinions than there are annotators"
            )
        return self

    @model_validator(mode="after")
    def _units_can_be_shown(self) -> Self:
        kind, shown_by = self.sampling.unit.kind, _SHOWN_BY[self.interface.layout]
        if kind not in shown_by:
            raise ValueError(
                f"sampling.unit.kind is {kind!r}, but interface.layout {self.interface.layout!r} shows units of kind "
                f"{' or '.join(shown_by)}; change either"
            )
        if kind == "pair" and self.sampling.gold_share + self.sampling.repeat_share:
            raise ValueError("gold_share and repeat_share ask about one reference, not about a pair; set them to 0")
        return self

    @model_validator(mode="after")
    def _the_trainer_can_learn(self) -> Self:
        first, media = self.interface.questions[0], self.interface.media
        if self.model.source == "trainer" and (first.type != "choices" or media not in ("image", "text")):
            raise ValueError(
                f"model.source is 'trainer', which learns choices about images or texts, but the first question is "
                f"{first.type} about {media}; choose another source, or put such a question first"
            )
        return self


def project_name(name: str) -> str:
    """Return the name, if a labelling project can be called so.

    Raises:
        InputError: it cannot.
    """
    if not re.fullmatch(PROJECT_NAME, name):
        raise InputError(
            f"{name!r} is no project name", remedy="begin with a small letter; then a-z, 0-9 and -, 2 to 40"
        )
    return name


def load_spec(text: str, *, name: str = "spec", read: Callable[[str], str] | None = None) -> ProjectSpec:
    """Return the spec that the YAML text describes.

    Args:
        text: the YAML document.
        name: how to call the document in messages.
        read: gives the text of the file that `interface.xml` names; without it, the XML stands in the spec itself.

    Raises:
        SpecError: not YAML, or any field is unknown, missing or wrong; the message, and the fact `problems`, list
            every problem with its field, value and remedy.
    """
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date such as 2024-13-45
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise SpecError(f"{name} is not YAML{line}", remedy="mend the indentation or quotes there") from error
    if not isinstance(document, dict):
        raise SpecError(f"{name} is empty or no mapping", remedy="start from `labelloop init`")
    if read:
        _take_xml_from_file(document.get("interface"), read)
    try:
        return ProjectSpec.model_validate(document)
    except ValidationError as error:
        problems = [_problem(e) for e in error.errors(include_url=False)]
        told = "\n  ".join(f"{problem['field']}: {problem['problem']}" for problem in problems)
        raise SpecError(f"{name} has {len(problems)} problem(s):\n  {told}", problems=problems) from None


def _take_xml_from_file(interface: Any, read: Callable[[str], str]) -> None:
    xml = interface.get("xml") if isinstance(interface, dict) else None
    if isinstance(xml, str) and not xml.lstrip().startswith("<"):
        interface["xml"] = read(xml.strip())


_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a spec, for editors and coding assistants."""
    return {"$schema": _DIALECT, **ProjectSpec.model_json_schema()}


_REMEDIES = {
    "extra_forbidden": "remove it or mend its spelling",
    "missing": "add it",
}


_TOLD: Final = 100  # characters of a value


def _problem(error: Any) -> dict[str, str]:
    field = ".".join(str(part) for part in error["loc"]) or "spec"
    value = error.get("input")
    told = "" if error["type"] == "missing" or isinstance(value, dict | list | Section) else repr(value)
    shown = f" (got {told if len(told) <= _TOLD else f'{told[:_TOLD]}...'})" if told else ""
    remedy = _REMEDIES.get(error["type"])
    message = error["msg"].removeprefix("Value error, ")
    return {"field": field, "problem": f"{message}{shown}" + (f"; {remedy}" if remedy else "")}
