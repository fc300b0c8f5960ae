"""The verb `convert`: an export of Label Studio as typed rows, and what was refused of it, in two files."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import ceil
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import track

from deployments.cli.ahead import ahead
from deployments.cli.export_file import BLOCK, size_of
from deployments.cli.export_workers import parts_in
from deployments.cli.output import Json, print_json
from deployments.cli.table_file import appearing
from labelloop.annotation_rows import ROWS, SHARED
from labelloop.conversion import REFUSED, Conversion, Part, PartReader
from labelloop.errors import InputError
from labelloop.spec.interface import Interface
from tasks.clients.specs import read_spec

# A dictionary of values that never come twice would be made for nothing.
_REPEATED = ["annotator", "control", "control_type", "opinion_reason", "guideline_version", "state", "rule"]


def convert(export: Path, *, out: Path, spec: Path | None = None, json: Json = False) -> None:
    """Write the answers in a JSON export of Label Studio as typed rows; exit code 1 if any was refused.

    Annotators become pseudonyms, numbered in the order in which they appear.

    Args:
        export: The export, in the format that Label Studio calls JSON.
        out: Folder for annotations.parquet (see docs/tables.md) and quarantine.parquet: what was refused, and why.
        spec: The spec of the project: answers it does not ask for are refused, too.
        json: Print the figures as JSON.
    """
    figures = convert_file(export, out, read_spec(spec).interface if spec else None)
    if json:
        print_json(figures)
    else:
        told = ", ".join(f"{name} {count}" for name, count in figures.items())
        Console(soft_wrap=True, highlight=False).print(f"{told}; see {out}", markup=False)
    if figures["refused"]:
        sys.exit(1)


def convert_file(export: Path, out: Path, interface: Interface | None = None) -> dict[str, int]:
    """Write both files, whole or not at all, and return what was counted; see `Conversion`.

    Raises:
        InputError: the export cannot be read, or the folder cannot be written to.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{out} cannot be made ({error.strerror})", remedy="choose another --out") from None
    with ExitStack() as stack:
        stack.enter_context(_without_garbage_collection())
        parts = stack.enter_context(parts_in(export, PartReader(interface)))
        answers, quarantine = (
            stack.enter_context(_writer(stack.enter_context(appearing(out / f"{name}.parquet")), schema))
            for name, schema in (("annotations", ROWS), ("quarantine", REFUSED))
        )
        conversion = Conversion(interface)
        # One part is read while the one before is written.
        given = _shown(ahead(map(conversion.take, parts)), size_of(export))
        return _convert(given, conversion, answers, quarantine)


def _convert(
    given: Iterator[Part], conversion: Conversion, answers: pq.ParquetWriter, quarantine: pq.ParquetWriter
) -> dict[str, int]:
    """Write what the annotations say; those that say nothing wait in a nameless file until every control is known."""
    counts = Counter(annotations=0, rows=0, cancelled=0, refused=0)
    with TemporaryFile() as waiting:
        with _writer(waiting, SHARED) as skipped:
            for part in given:
                _write(answers, part.answers)
                _write(skipped, part.skipped)
                _write(quarantine, part.refused)
                counts.update(annotations=part.annotations, rows=part.answers.num_rows)
                counts.update(refused=part.refused.num_rows)
        for batch in pq.ParquetFile(waiting).iter_batches():
            for table in conversion.unanswered(pa.Table.from_batches([batch])):
                answers.write_table(table)
                counts.update(rows=table.num_rows, cancelled=table.num_rows)
    return {**counts, "annotators": len(conversion.annotators), "controls": len(conversion.controls)}


def _writer(file: Any, schema: pa.Schema) -> pq.ParquetWriter:
    return pq.ParquetWriter(file, schema, use_dictionary=[name for name in _REPEATED if name in schema.names])


def _write(file: pq.ParquetWriter, table: pa.Table) -> None:
    if table.num_rows:  # an empty one would still be a row group
        file.write_table(table)


def _shown(parts: Iterator[Part], size: int) -> Iterator[Part]:
    console = Console(stderr=True)
    hidden = not console.is_terminal
    total = ceil(size / BLOCK) or None
    return iter(track(parts, "converting", total, console=console, disable=hidden, transient=True))


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Millions of small objects come and go, none in a cycle: looking for cycles would take a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
