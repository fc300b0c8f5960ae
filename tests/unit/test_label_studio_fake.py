"""Label Studio in memory keeps the contract of the real one."""

from __future__ import annotations

import pytest

from tests.contract_suites.label_studio_suite import LabelStudioSuite
from tests.fakes.label_studio import MemoryLabelStudio


class TestMemoryLabelStudio(LabelStudioSuite):
    @pytest.fixture
    def label_studio(self):
        return MemoryLabelStudio()

    @pytest.fixture
    def email_of(self):
        return "{}@labelloop.test".format

    @pytest.fixture
    def people(self, label_studio, email_of):
        return lambda name: label_studio.annotator(email_of(name), "secret of a test")

    @pytest.fixture
    def delete_user(self, label_studio):
        return label_studio.delete_user
