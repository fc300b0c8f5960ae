"""Rows that no API of Label Studio shows, on SQLite."""

from __future__ import annotations

from functools import partial

import pytest

from tasks.clients.label_studio_database import open_sqlite
from tests.contract_suites.orphans_suite import OrphansSuite

pytestmark = pytest.mark.integration


class TestOrphansOnSqlite(OrphansSuite):
    @pytest.fixture
    def server(self, label_studio):
        return label_studio

    @pytest.fixture
    def open_database(self, server):
        file = server.label_studio_data_dir / "label_studio.sqlite3"
        if not file.exists():
            pytest.skip("this run's Label Studio is on PostgreSQL, where TestOrphansOnPostgresql looks")
        return partial(open_sqlite, file)
