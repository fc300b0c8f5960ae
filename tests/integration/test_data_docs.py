"""Data Docs: every table has its page, no failing value is shown, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from labelloop.contracts import contract
from tasks.clients import expectations as module
from tasks.clients.data_docs import build_data_docs
from tests.builders.digits import START
from tests.builders.rows import rows_of

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def pages():
    given = [{"key": "CANARY-key", "etag": "CANARY-etag"}, {"state": "CANARY-state", "size": -987654}]
    tables = [
        (contract("references"), rows_of("references", given).to_batches()),
        (contract("units"), rows_of("units", [{}]).to_batches()),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", 1)
        return build_data_docs(tables, START)


def test_the_index_leads_to_a_page_per_table(pages):
    index = pages["index.html"].decode()
    for name in ("references", "units"):
        found = [page for page in pages if page.startswith(f"validations/{name}/")]
        assert found
        assert all(f'href="{quote(page)}"' in index for page in found)


def test_counts_of_failures_are_shown(pages):
    (page,) = [text for name, text in pages.items() if name.startswith("validations/references/")]
    assert page.count(b">FAILED<") == 3  # two rules and the table
    assert b"50%" in page


def test_no_value_of_any_row_is_shown(pages):
    assert [name for name, page in pages.items() if b"CANARY" in page or b"987654" in page] == []


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(pages):
    loading = re.compile(r"<script|<(?:link|img)[^>]+(?:href|src)=[\"'](?:https?:)?//|@import|url\((?!['\"]?\.)")
    for name, page in pages.items():
        found = [match.group() for match in loading.finditer(page.decode())]
        assert found == [], name
