"""Opening a project's world: its file is found by its name, and says the same name."""

from __future__ import annotations

import pytest

from deployments.cli.spec_verbs import init
from labelloop.errors import InputError, SpecError
from tasks.clients.world import open_world

VARIABLES = {
    "LAKE_URI": "s3://lake",
    "VAULT_URI": "s3://vault",
    "LABEL_STUDIO_URL": "http://127.0.0.1:1",
    "LABEL_STUDIO_TOKEN": "t",
    "SUPPRESSION_KEYS": "{}",
    "RECEIPT_KEY": "r",
}


@pytest.fixture
def projects(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, value in {**VARIABLES, "PROJECTS_DIR": str(tmp_path)}.items():
        monkeypatch.setenv(f"LABELLOOP_{name}", value)
    init("faces", template="image-classification", out=tmp_path / "faces.yaml")
    return tmp_path


def test_a_project_is_found_by_its_name(projects):
    assert open_world("faces").project == "faces"


def test_a_file_of_another_project_is_refused(projects):
    (projects / "voices.yaml").write_text((projects / "faces.yaml").read_text())
    with pytest.raises(SpecError, match=r"voices\.yaml is the spec of 'faces'"):
        open_world("voices")


@pytest.mark.parametrize("name", ["nothing", "../faces", ""])
def test_an_unknown_project_is_answered_with_the_known_ones(projects, name):
    with pytest.raises(InputError, match="faces"):
        open_world(name)
