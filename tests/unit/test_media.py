"""The fake bucket keeps the contract the real one keeps."""

from __future__ import annotations

import pytest

from tests.contract_suites.media_suite import MediaSuite
from tests.fakes.media import MemoryMediaStore


@pytest.fixture
def media():
    return MemoryMediaStore()


@pytest.fixture
def buckets(media):
    return media


class TestMemoryMediaStore(MediaSuite):
    pass
