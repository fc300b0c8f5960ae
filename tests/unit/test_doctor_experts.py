"""What the doctor says of experts: a ruling counts only if whoever gives it is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from deployments.doctor import project
from labelloop.errors import ConfigurationError
from tests.builders.digits import SPEC
from tests.fakes.world import make_world


def told(monkeypatch: pytest.MonkeyPatch, folder: Path, experts: int, *named: str) -> str:
    spec = SPEC.replace("{count: 4}", f"{{count: 4, experts: {experts}}}")
    world = make_world(folder, spec, settings={"experts": named})
    monkeypatch.setattr(project, "open_world", lambda _: world)
    return project.Project("digits").know_experts()


def test_experts_that_nobody_named_are_missed(monkeypatch, tmp_path):
    with pytest.raises(ConfigurationError, match="1 expert"):
        told(monkeypatch, tmp_path, 1)


def test_experts_that_are_named_or_not_wanted_are_not(monkeypatch, tmp_path):
    assert told(monkeypatch, tmp_path, 1, "eve@labelloop.test") == "1 named for 1 in the spec"
    assert told(monkeypatch, tmp_path, 0) == "none in the spec: conflicts wait"
