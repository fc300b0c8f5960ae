"""The card of a training set: what it holds, how it was made, what it must not be used for, in Markdown.

Counts and versions only; no key, subject or annotator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

_SPLITS = ("train", "validation", "test", "audit")


def dataset_card(title: str, version: str, rows: pa.Table, *, agreement: str, lineage: Mapping[str, object]) -> str:
    """Return the card of a training set; the same arguments give the same text.

    Args:
        title: of the labelling project.
        version: of the training set.
        rows: of the contract `training_set`.
        agreement: one line on how far annotators agree.
        lineage: what the set was made from, by name.
    """
    parts = [
        f"# {_plain(title)}: training set {version}",
        f"{rows.num_rows} labels. Columns: see the data contract `training_set`.",
        *(_control_part(rows, control) for control in sorted(set(rows["control"].to_pylist()))),
        "## How it was made\n\n"
        f"- Agreement: {_plain(agreement)}\n"
        "- Labels in conflict, of changed media, of media that may not be used or of near-duplicates of audit media "
        "are left out.\n"
        "- Splits are fixed by data subject (by object where none is known); `audit` was drawn at random before "
        "anything else and must never be trained on.\n"
        "- `inclusion_probability` is empty where a unit was picked on purpose: weight by it only within the audit.",
        "## Lineage\n\n" + "\n".join(f"- {name}: {value}" for name, value in sorted(lineage.items())),
    ]
    return "\n\n".join(parts) + "\n"


def split_counts(rows: pa.Table) -> dict[str, int]:
    """Return the number of rows in each split, empty ones included.

    >>> split_counts(pa.table({"split": ["train", "train", "audit"]}))
    {'train': 2, 'validation': 0, 'test': 0, 'audit': 1}
    """
    counts = Counter(rows["split"].to_pylist())
    return {split: counts[split] for split in _SPLITS}


def _control_part(rows: pa.Table, control: str) -> str:
    said = rows.filter(pc.equal(rows["control"], control))
    marked = pc.any(pc.is_valid(said["regions"])).as_py()
    counts = Counter(
        _marks(said) if marked else zip(said["label"].to_pylist(), said["split"].to_pylist(), strict=True)
    )
    what = "label of a region" if marked else "label"
    lines = [f"| {what} | {' | '.join(_SPLITS)} |", "|---" * (len(_SPLITS) + 1) + "|"]
    for label in sorted({label for label, _ in counts}):
        lines.append(f"| {_plain(label)} | {' | '.join(str(counts[label, s]) for s in _SPLITS)} |")
    return f"## {_plain(control)}\n\n" + "\n".join(lines)


def _marks(rows: pa.Table) -> Iterator[tuple[str, str]]:
    """Yield the labels and the split of each region."""
    regions = rows["regions"].combine_chunks()
    split = rows["split"].take(pc.list_parent_indices(regions))
    labels = pc.struct_field(regions.flatten(), "labels")
    for names, its in zip(labels.to_pylist(), split.to_pylist(), strict=True):
        yield ", ".join(names), its


def _plain(text: str) -> str:
    """Return a text that cannot end a table cell, open markup or begin a line of its own."""
    escaped = "".join(f"\\{c}" if c in "\\|`*_[]#" else c for c in text.replace("<", "&lt;"))
    return " ".join(escaped.split())
