"""The real Label Studio keeps the contract the stages rely on, and its failures become ours."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from labelloop.errors import AccessError, LabelloopError, UnavailableError
from tasks.clients.label_studio import connect_label_studio
from tasks.clients.label_studio_connection import Connection
from tests.contract_suites.label_studio_server_suite import LabelStudioServerSuite

pytestmark = pytest.mark.integration


class TestRealLabelStudio(LabelStudioServerSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def server(cls, stack, s3):
        stack.up({"label-studio"})
        return s3


def test_a_wrong_token_is_refused_with_the_setting_to_mend(label_studio):
    client = connect_label_studio(label_studio.model_copy(update={"label_studio_token": SecretStr("0" * 40)}))
    with pytest.raises(AccessError, match="LABELLOOP_LABEL_STUDIO_TOKEN") as refused:
        client.find_project("labelloop:")
    assert "0" * 40 not in str(refused.value)


def test_a_personal_access_token_works_as_well(label_studio):
    legacy = label_studio.label_studio_token.get_secret_value()
    with Connection(label_studio.label_studio_url, legacy, 30).asking("issuing a personal token") as sdk:
        issued = sdk.tokens.create().token
        try:
            client = connect_label_studio(label_studio.model_copy(update={"label_studio_token": SecretStr(issued)}))
            assert client.find_project("no such marker") is None
            assert client.find_project("no such marker") is None
        finally:
            sdk.tokens.blacklist(refresh=issued)


def test_a_server_that_is_not_there_is_named_without_its_password(label_studio):
    url = "http://me:secret@127.0.0.1:9"
    client = connect_label_studio(label_studio.model_copy(update={"label_studio_url": url}))
    with pytest.raises(UnavailableError, match=r"http://127.0.0.1:9.*LABELLOOP_LABEL_STUDIO_URL") as failed:
        client.project(1)
    assert "secret" not in str(failed.value)


def test_what_is_no_label_studio_is_told_from_one(s3, label_studio):
    client = connect_label_studio(label_studio.model_copy(update={"label_studio_url": s3.s3_endpoint}))
    with pytest.raises(LabelloopError, match="Label Studio"):
        client.project(1)
