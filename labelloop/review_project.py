"""The project in which experts rule: the interface of the one it reviews, above it what annotators said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

import pyarrow as pa
from lxml import etree

from labelloop.errors import InputError
from labelloop.interface import build
from labelloop.opinions import values_of
from labelloop.shown_values import shown_text
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


def showing_answers(task: Mapping[str, Any], answers: Mapping[str, str]) -> dict[str, Any]:
    """Return a task as Label Studio takes it with what each annotator said."""
    return {**task, "data": {**task["data"], _FIELD: dict(answers)}}


def competing_answers(annotations: pa.Table) -> dict[str, dict[str, str]]:
    """Return by unit what each annotator said, by pseudonym: each control and its answer, safe to be shown.

    Args:
        annotations: rows of the contract `annotations`; active ones count.
    """
    found: dict[str, dict[str, list[str]]] = {}
    values = values_of(annotations).to_pylist()
    for row, value in sorted(zip(annotations.to_pylist(), values, strict=True), key=lambda each: _place(each[0])):
        if row["state"] == "active":
            said = found.setdefault(row["unit_id"], {}).setdefault(row["annotator"], [])
            said.append(f"{row['control']}: {_told(row, value)}")
    return {unit: {who: _shown("; ".join(said)) for who, said in people.items()} for unit, people in found.items()}


def _place(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["unit_id"], row["annotator"], row["control"], row["annotation_id"]


def _told(row: Mapping[str, Any], value: str | None) -> str:
    if value is not None:
        return value
    if row["ranked"]:
        return _grouped((item["bucket"] or "", item["item"]) for item in row["ranked"])
    labels = Counter(", ".join(region["labels"] or ()) or "mark" for region in row["regions"] or ())
    return ", ".join(f"{n} x {label}" for label, n in sorted(labels.items())) or "nothing"


def _grouped(items: Iterable[tuple[str, str]]) -> str:
    buckets: dict[str, list[str]] = {}
    for bucket, item in items:
        buckets.setdefault(bucket, []).append(item)
    return ", ".join(f"{bucket} ({', '.join(held)})" for bucket, held in sorted(buckets.items()))


def _shown(text: str) -> str:
    try:
        return shown_text(text)
    except InputError:  # no answer may keep a case from its expert
        return "an answer that cannot be shown"
