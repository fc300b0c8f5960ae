"""The pictures of docs/: one of each page that the browser tests photograph, made by them, and small."""

from __future__ import annotations

import pytest
from PIL import Image

from deployments.cli.templates import template_names
from tests.checkout import ROOT

PICTURES = sorted((ROOT / "docs" / "screenshots").glob("*"))


def test_there_is_a_picture_of_each_template_and_of_the_page_of_experts():
    assert [path.name for path in PICTURES] == sorted(f"{name}.png" for name in [*template_names(), "review"])


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_as_the_browser_tests_write_it(path):
    with Image.open(path) as picture:
        assert (picture.format, picture.mode) == ("PNG", "P")
        assert len(picture.getcolors()) <= 64
    assert path.stat().st_size < 200_000
