"""The model a project scores with: which one, where its file lies, opened and checked.

Training one is the business of `tasks/retrain.py`, how a file is opened that of `tasks/clients/models.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from labelloop.contracts import Refusal, contract
from labelloop.errors import ErasedError, InputError
from labelloop.features import features_width
from labelloop.pool import scoring_model
from tasks.clients.models import OnnxModel, digest, facts_of, model_version
from tasks.clients.s3 import split_uri
from tasks.clients.world import World
from tasks.features import version_of


@dataclass(frozen=True)
class OpenedModel:
    """A model ready to score, and the version its predictions are kept under."""

    version: str
    model: OnnxModel


def model_path(version: str) -> str:
    """Return where a model of ours lies among the published files."""
    return f"models/{version}/model.onnx"


def class_names(world: World) -> list[str]:
    """Return the classes a model speaks of: the labels of the spec's first question, in their order."""
    return [label.value for label in world.spec.interface.questions[0].labels]


def width_of(world: World) -> int:
    """Return the length of the feature vectors that the spec declares."""
    return features_width(world.spec.interface.media, world.spec.model.features)


def trained_model(world: World) -> OpenedModel | str:
    """Return our own model in force, or in one line why there is none that could score.

    Raises:
        InputError: its file is not the one that was published.
    """
    rows = world.table("models").read()
    version = scoring_model(rows, contract("predictions").schema.empty_table(), now=world.now())
    if version is None:
        return "no model yet"
    row = next(r for r in rows.to_pylist() if r["model_version"] == version)
    data = world.published.read(model_path(version))
    if digest(data) != row["digest"]:
        raise InputError(f"the file of {version} is not the one that was published", remedy="run retrain-check")
    if facts_of(data).get("features") != version_of(world):
        return "the model in force reads other features than the spec declares: retrain"
    return OpenedModel(version, OnnxModel(data, width=width_of(world), classes=row["classes"]))


def brought_model(world: World) -> OpenedModel:
    """Return the ONNX model that the spec names.

    Raises:
        InputError: there is no such file, or it does not fit the features and labels of the spec.
    """
    data = read_model_file(world)
    return OpenedModel(model_version(data), OnnxModel(data, width=width_of(world), classes=class_names(world)))


def read_model_file(world: World) -> bytes:
    """Return the bytes of the file that the spec's model section names.

    Raises:
        InputError: there is no such file.
    """
    try:
        return world.media.read(*split_uri(world.spec.model.uri or ""))
    except ErasedError:
        raise InputError("model.uri of the spec names no object", remedy="upload the file or mend the spec") from None


def answer_refusals(rows: pa.Table, version: str, refused: Mapping[int, str]) -> list[Refusal]:
    """Return what is kept of a model's answers that cannot be believed.

    Args:
        rows: `ref_id` of what was scored.
        version: of the model.
        refused: the rule each refused row number broke.
    """
    refs = rows["ref_id"].to_pylist()
    return [
        Refusal("predictions", f"{refs[row]}/{version}", rule, payload={"ref_id": refs[row]})
        for row, rule in refused.items()
    ]


def refuse_if_none(said: int, refused: Sequence[Refusal]) -> None:
    """Stop when a model gave answers and not one of them is a probability: it is the wrong model.

    Raises:
        InputError: that is so.
    """
    if refused and not said:
        raise InputError(
            f"no answer of the model is a probability ({refused[0].rule})",
            remedy="let it end in a softmax, or declare model.preprocessing.softmax",
        )
