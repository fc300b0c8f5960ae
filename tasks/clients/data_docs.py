"""Great Expectations' Data Docs as pages that load nothing from elsewhere.

They tell per table and rule how many values were judged and how many broke it, never which.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from lxml import html
from lxml.html import builder as E

from labelloop.contracts import Contract, expectations
from tasks.clients.expectations import BATCH, batch_of, frame_of, quiet_context

# Counts, and no sample of the values that failed: they may be about a person.
_SUMMARY = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
# Its own index is filled in by a script, so we write another.
_SITE = {"class_name": "SiteBuilder", "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"}}
_FILES = {"class_name": "TupleFilesystemStoreBackend"}
_DROPPED = "//script | //link[contains(@href, '//')] | //img | //footer"
_FOREIGN_STYLE = re.compile(rb"url\(\s*['\"]?(?:https?:)?//[^)]*\)")
_SIGNS = {"fa-check-circle": "passed", "fa-times": "FAILED"}


def build_data_docs(tables: Iterable[tuple[Contract, Iterable[pa.RecordBatch]]], now: datetime) -> dict[str, bytes]:
    """Judge tables by their contracts and return the pages, by path; `index.html` is the first.

    Args:
        tables: each contract with the rows of its table, read once and at most a million at a time.
        now: the time shown as that of the run.
    """
    with tempfile.TemporaryDirectory() as folder:
        context = quiet_context(pages=_SITE | {"store_backend": _FILES | {"base_directory": folder}})
        for rules, batches in tables:
            _validate(context, rules, batches, now)
        context.build_data_docs()
        return _pages(Path(folder))


def _validate(context: Any, rules: Contract, batches: Iterable[pa.RecordBatch], now: datetime) -> None:
    import great_expectations as gx
    from great_expectations.core import RunIdentifier

    asked = expectations(rules)
    listed = [rule.configuration() for rule in asked]
    suite = context.suites.add(gx.ExpectationSuite(name=rules.name, expectations=listed))
    data = batch_of(context, rules.name)
    validation = context.validation_definitions.add(gx.ValidationDefinition(name=rules.name, data=data, suite=suite))
    for number, rows in enumerate(_chunks(batches)):
        validation.run(
            batch_parameters={"dataframe": frame_of(asked, rows)},
            result_format=_SUMMARY,
            run_id=RunIdentifier(run_name=f"rows from {number * BATCH}", run_time=now),
        )


def _chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Yield tables of at least BATCH rows (the last has fewer), so that few runs judge many batches."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(b.num_rows for b in held) >= BATCH:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _pages(site: Path) -> dict[str, bytes]:
    kept = [path for path in sorted(site.rglob("*")) if path.suffix in (".html", ".css")]
    pages = {str(path.relative_to(site)): _FOREIGN_STYLE.sub(b"none", path.read_bytes()) for path in kept}
    shown = {name: _offline(page) if name.endswith(".html") else page for name, page in pages.items()}
    # The index that Great Expectations writes is filled in by a script.
    return shown | {"index.html": _index([name for name in shown if name.startswith("validations/")])}


def _offline(page: bytes) -> bytes:
    tree = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8", no_network=True))
    for element in tree.xpath(_DROPPED):
        element.drop_tree()
    for sign, word in _SIGNS.items():  # the signs are letters of a font that would have to be loaded
        for element in tree.xpath(f"//i[contains(@class, '{sign}')]"):
            element.text = word
    return _written(tree)


def _index(names: list[str]) -> bytes:
    links = [E.LI(E.A(" / ".join(name.split("/")[1:3]), href=quote(name))) for name in names]
    head = E.HEAD(E.META(charset="utf-8"), E.TITLE("Data Docs"))
    return _written(E.HTML(head, E.BODY(E.H1("What the tables were judged by"), E.UL(*links)), lang="en"))


def _written(tree: Any) -> bytes:
    return bytes(html.tostring(tree, encoding="utf-8", doctype="<!DOCTYPE html>"))
