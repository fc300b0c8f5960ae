"""The project in which experts rule: the interface of the one it reviews, above it what annotators said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
from lxml import etree

from labelloop.competing_answers import competing_answers
from labelloop.interface import build
from labelloop.spec import ProjectSpec

_FIELD: Final = "competing_answers"
_TITLE: Final = " (review)"
_LONGEST: Final = 50  # characters of a title in Label Studio


def reviewing_spec(spec: ProjectSpec) -> ProjectSpec:
    """Return the spec of the project that reviews this one: the same questions, one ruling each, nothing of a model.

    Its name is that of the project with `-review`; its units have the ids they have there.
    """
    return spec.model_copy(
        update={
            "name": f"{spec.name}-review",
            "title": spec.title[: _LONGEST - len(_TITLE)] + _TITLE,
            "overlap": spec.overlap.model_copy(update={"share": 0.0, "uncertain_share": 0.0, "maximum": 1}),
            "annotators": spec.annotators.model_copy(update={"count": max(1, spec.annotators.experts)}),
            "predictions": spec.predictions.model_copy(update={"show": False}),
            "workbench": spec.workbench.model_copy(update={"views": ()}),
        }
    )


def with_answers_shown(spec: ProjectSpec) -> ProjectSpec:
    """Return the spec with an interface that shows first what annotators said; its questions stay.

    Raises:
        SpecError: as `build` does.
    """
    root = etree.fromstring(build(spec.interface), etree.XMLParser(resolve_entities=False, no_network=True))
    root.insert(0, etree.Element("Table", name=_FIELD, value=f"${_FIELD}"))
    root.insert(0, etree.Element("Header", value="What annotators said"))
    xml = str(etree.tostring(root, encoding="unicode"))
    return spec.model_copy(update={"interface": spec.interface.model_copy(update={"xml": xml})})


def showing_answers(tasks: Mapping[str, Mapping[str, Any]], annotations: pa.Table) -> dict[str, dict[str, Any]]:
    """Return tasks by unit, as Label Studio takes them, with what each annotator said of the unit."""
    titles = {unit: _titles(task["data"]) for unit, task in tasks.items()}
    said = competing_answers(annotations, titles)
    return {unit: {**task, "data": {**task["data"], _FIELD: said.get(unit, {})}} for unit, task in tasks.items()}


def _titles(data: Mapping[str, Any]) -> dict[str, str]:
    """The title of each item that a task holds in a list."""
    lists = [value for value in data.values() if isinstance(value, list)]
    return {item["id"]: item["title"] for items in lists for item in items if "id" in item}
