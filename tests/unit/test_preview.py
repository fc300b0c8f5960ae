"""What a preview refuses before it opens a browser; that it draws the page is proven in tests/browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from deployments import preview
from deployments.cli import interface_verbs
from deployments.cli.templates import fill
from labelloop.errors import ConfigurationError, InputError
from tests.builders.interface_samples import sample_objects, sample_spec
from tests.builders.settings import make_settings
from tests.fakes.world import make_world


def test_only_the_local_stack_draws():
    stack = SimpleNamespace(variables={"LABELLOOP_LABEL_STUDIO_URL": "http://127.0.0.1:1"})
    with pytest.raises(ConfigurationError, match="another Label Studio"):
        preview.preview(sample_spec("rating"), make_settings(), stack)


def test_a_picture_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(interface_verbs, "draw", lambda *_: b"a picture")
    monkeypatch.setattr(interface_verbs, "load_settings", make_settings)
    (tmp_path / "hooves.yaml").write_text(fill("rating", "hooves"))
    with pytest.raises(InputError, match=r"cannot be written \(Is a directory\)"):
        interface_verbs.preview(tmp_path / "hooves.yaml", out=tmp_path)


def test_the_first_media_of_the_kind_make_the_unit(tmp_path):
    world = make_world(tmp_path, sample_spec("image-comparison"))
    with pytest.raises(InputError, match="no media below"):
        preview.first_unit(world)
    world.media.write("media", "digits/0/note.txt", b"no picture", content_type="text/plain")
    for key, content in sample_objects("image-comparison").items():
        world.media.write("media", key, content, content_type="image/png")
    data = preview.first_unit(world)
    assert (data["left"], data["right"]) == tuple(f"s3://media/{key}" for key in sample_objects("image-comparison"))


def test_what_cannot_be_shown_is_told(tmp_path):
    world = make_world(tmp_path, sample_spec("pairwise"))
    world.media.write("media", "digits/a.json", b"[]", content_type="application/json")
    with pytest.raises(InputError, match="no JSON object"):
        preview.first_unit(world)
