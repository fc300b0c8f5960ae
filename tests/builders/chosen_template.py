"""A round of one unit about a template's samples: their objects are in the bucket, nothing is in Label Studio.

Where the template shows what a model says of its items, a model has spoken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.clients.world import World
from tests.builders.chosen_round import choose
from tests.builders.interface_samples import sample_objects, sample_unit
from tests.builders.rows import hex_id, write

KINDS = {
    "image-comparison": "pair",
    "triage": "list",
    "outlier-review": "list",
    "near-duplicates": "group",
}


def choose_sample(world: World, template: str, objects: Mapping[str, bytes] | None = None) -> None:
    """Choose the unit of the template that the world's spec is of; of other objects than its samples where given."""
    objects = objects or sample_objects(template)
    choose(world, [0], number=1)
    for key, content in objects.items():
        world.media.write("media", key, content, content_type="application/octet-stream")
    refs = [hex_id(n) for n in range(len(objects))]
    stored = {"bucket": "media", "media_version": "v1", "state": "active"}
    write(
        world,
        "references",
        [stored | {"ref_id": ref, "key": key} for ref, key in zip(refs, objects, strict=True)],
    )
    if world.spec.predictions.show:
        write(world, "predictions", [_told(member) for member in sample_unit(template)["members"]])
    unit = {"unit_id": hex_id(0), "kind": KINDS.get(template, "single"), "ref_ids": refs}
    write(world, "units", [unit | {"media_versions": ["v1"] * len(refs), "round": 1}])


def _told(member: Mapping[str, Any]) -> dict[str, Any]:
    """What a model said of a member that is shown with its score."""
    said = {"model_version": member["source"], "confidence": member["score"], "media_version": "v1"}
    return said | {"ref_id": member["ref_id"], "predicted": "smoke", "classes": ["smoke"], "probabilities": [1.0]}
