"""A labelling project that people set up by hand: described as a spec, its tasks taken for units of a first round.

Decides only; `tasks/adopt.py` asks Label Studio and writes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from lxml import etree, html

from labelloop.erasure.plan import addresses_of
from labelloop.errors import InputError
from labelloop.spec.from_xml import fields_of
from labelloop.workbench import RemoteTask

STRATEGY = "adopted"
_BLOCKS = ("br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ol", "p", "pre", "table", "tr", "ul")
# What labelloop writes into each task, by names that people use too.
_NAMES = ("unit", "ref")
_IDENTITY = re.compile("[0-9a-f]{32}")
_SAID_NOTHING = "The project came without instructions: write here what annotators are to do."


def spec_of(settings: Mapping[str, Any], tasks: Iterable[RemoteTask], *, name: str, xml_file: str) -> dict[str, Any]:
    """Return the document of a spec that leaves the project as it is.

    Args:
        settings: of the project, as Label Studio gives them.
        tasks: all of the project; each is looked at once.
        name: of the new labelling project.
        xml_file: name of the file, beside the spec, that takes the labelling configuration word for word.

    Raises:
        InputError: it has no tasks, or they show something other than one object each, all in one bucket.
        SpecError: its labelling configuration is no XML.
    """
    addresses, people = set[str](), set[int]()
    for task in tasks:
        addresses |= set(task.media)
        people |= {annotation.user_id for annotation in task.annotations if annotation.user_id >= 0}
    shown = fields_of(str(settings["label_config"]))
    if len(shown) != 1:
        raise InputError(
            f"a task of this project shows {len(shown)} fields, and only one object each can be adopted",
            remedy="begin a new project with `labelloop init`, and import its answers",
        )
    bucket, prefix = _place(addresses)
    several = _overlap(settings)
    return {
        "name": name,
        "title": settings["title"],
        "media": {"bucket": bucket, "prefix": prefix},
        "interface": {"media": shown[0].kind, "xml": xml_file},
        "guidelines": {"text": _text(settings.get("expert_instruction") or "") or _SAID_NOTHING},
        "overlap": several,
        "annotators": {"count": max(len(people), several["maximum"])},
        "predictions": {"show": bool(settings.get("show_collab_predictions"))},
    }


def _overlap(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many are asked, as the project has it; a spec names at least two, for a share that may be none."""
    wanted = max(int(settings.get("maximum_annotations") or 1), 1)
    share = (settings.get("overlap_cohort_percentage") or 100) / 100 if wanted > 1 else 0.0
    return {"share": share, "annotators": max(wanted, 2), "maximum": max(wanted, 4)}


@dataclass(frozen=True)
class Adoption:
    """Reference and media version of each task that becomes a unit, by task number; how many others stay as they are.

    `without_medium`: they show no object, or several. `unknown`: sync has not admitted their object. `double`:
    another task shows it as well and has more answers, or as many and is older.
    """

    members: dict[int, tuple[str, str]]
    without_medium: int
    unknown: int
    double: int


def adoptable(tasks: Iterable[RemoteTask], references: pa.Table) -> Adoption:
    """Return which tasks can become units of one reference each.

    Args:
        tasks: of the project in Label Studio.
        references: `ref_id, bucket, key, media_version, state` of the contract `references`.

    Raises:
        InputError: a task holds fields of its own by the names that would be given to unit and reference.

    >>> from datetime import UTC, datetime
    >>> shown = {"media": ("s3://m/k",), "updated_at": datetime(2026, 1, 1, tzinfo=UTC)}
    >>> twins = [RemoteTask(number, "", 1, False, **shown) for number in (8, 7)]
    >>> known = {"ref_id": ["r"], "bucket": ["m"], "key": ["k"], "media_version": ["v"], "state": ["active"]}
    >>> found = adoptable(twins, pa.table(known))
    >>> found.members, found.double
    ({7: ('r', 'v')}, 1)
    """
    here = references.filter(pc.equal(references["state"], "active"))
    addresses = addresses_of(here["bucket"], here["key"]).to_pylist()
    identities = zip(here["ref_id"].to_pylist(), here["media_version"].to_pylist(), strict=True)
    known = dict(zip(addresses, identities, strict=True))
    members: dict[int, tuple[str, str]] = {}
    left, taken = Counter[str](), set[str]()
    for task in sorted(tasks, key=lambda task: (-len(task.annotations), task.task_id)):
        address = task.media[0] if len(task.media) == 1 else ""
        if address in known and address not in taken:
            _refuse_fields_of_others(task)
            members[task.task_id] = known[address]
            taken.add(address)
        else:
            left["double" if address in known else "unknown" if address else "without_medium"] += 1
    kept = {number: members[number] for number in sorted(members)}
    return Adoption(kept, left["without_medium"], left["unknown"], left["double"])


def _refuse_fields_of_others(task: RemoteTask) -> None:
    """Pass if nothing that people wrote would be replaced by the names of unit and reference."""
    for name in _NAMES:
        if name in task.data and not _IDENTITY.fullmatch(str(task.data[name])):
            raise InputError(
                f"task {task.task_id} holds a field {name!r}, as labelloop calls its own",
                remedy="call it otherwise in the tasks of the project",
            )


def chosen_rows(n: int) -> pa.Table:
    """Return why each of n units is in the first round: nobody drew them, so they have no inclusion probability."""
    return pa.table(
        {
            "rank": pa.array(range(n), pa.int64()),
            "stratum": pa.array(["exploit"] * n, pa.string()),
            "strategy": pa.array([STRATEGY] * n, pa.string()),
            "acquisition_score": pa.nulls(n, pa.float64()),
            "inclusion_probability": pa.nulls(n, pa.float64()),
            "reason": pa.array(["its task was there before"] * n, pa.string()),
            "seed": pa.array([0] * n, pa.int64()),
        }
    )


def _place(addresses: Collection[str]) -> tuple[str, str]:
    """Return the bucket of all addresses and the longest folder they share."""
    if not addresses:
        raise InputError(
            "no task of this project shows an s3:// address",
            remedy="begin a new project with `labelloop init`, whose media lie in a bucket",
        )
    objects = [address.removeprefix("s3://").partition("/") for address in addresses]
    buckets = {bucket for bucket, _, _ in objects}
    if len(buckets) != 1:
        raise InputError(
            f"the tasks of this project show media of {len(buckets)} buckets",
            remedy="adopt a project whose tasks show one bucket",
        )
    keys = [key for _, _, key in objects]
    first, last = min(keys), max(keys)  # what these two share, all between them share
    same = next((n for n, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1), len(first))
    folder, slash, _ = first[:same].rpartition("/")
    return buckets.pop(), folder + slash


def _text(instruction: str) -> str:
    """Return what an instruction says, a line for each block of its HTML."""
    if not instruction.strip():
        return ""
    shown = html.fragment_fromstring(instruction, create_parent="div")
    etree.strip_elements(shown, "script", "style", with_tail=False)
    for element in shown.iter(*_BLOCKS):
        element.text, element.tail = f"\n{element.text or ''}", f"\n{element.tail or ''}"
    lines = shown.xpath("string()").splitlines()
    return "\n\n".join(" ".join(line.split()) for line in lines if line.strip())
