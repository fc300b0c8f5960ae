"""What takes a minute in a fresh checkout and is asked for late: begun at once, beside the first tests."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.builders.postgresql import migrated


@pytest.fixture(scope="session", autouse=True)
def _migrations_ahead(request):
    """Migrate PostgreSQL, politely, if a chosen test is going to ask for it."""
    if not any("cluster" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield
        return
    with ThreadPoolExecutor(
        1, initializer=os.nice, initargs=(10,)
    ) as beside:  # nice is of the thread and its children
        beside.submit(migrated)
        yield
