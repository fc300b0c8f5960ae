"""The contract of Label Studio kept by a real server; subclasses say which by the fixture `server`, its settings."""

from __future__ import annotations

import uuid
from functools import cache

import pytest

from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_connection import Connection
from tests.contract_suites.label_studio_suite import PASSWORD, LabelStudioSuite


class LabelStudioServerSuite(LabelStudioSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def email_of(cls):
        run = uuid.uuid4().hex[:8]
        return lambda name: f"{name}-{run}@labelloop.test"

    @pytest.fixture
    def label_studio(self, server):
        return connect_label_studio(server)

    @pytest.fixture
    def save_view(self, server):
        connection = Connection(server.label_studio_url, server.label_studio_token.get_secret_value(), 30)

        def save(project, data):
            with connection.asking("saving a view") as sdk:
                return int(sdk.views.create(project=project, data=data).id)

        return save

    @pytest.fixture
    def delete_user(self, server):
        connection = Connection(server.label_studio_url, server.label_studio_token.get_secret_value(), 30)

        def delete(user_id):
            with connection.asking("deleting an account") as sdk:
                sdk.users.delete(user_id)

        return delete

    @pytest.fixture(scope="class")
    @classmethod
    def people(cls, server, email_of):
        """Each signs in once: checking a password costs the server a second."""
        client = connect_label_studio(server)
        return cache(lambda name: client.annotator(email_of(name), PASSWORD))
