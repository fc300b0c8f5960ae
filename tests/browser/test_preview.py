"""The preview: a picture of the page that annotators would see, and nothing left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from deployments.cli.templates import fill
from tasks.clients.label_studio_connection import Connection
from tasks.clients.s3 import connect
from tests.builders.interface_samples import sample_objects

pytestmark = pytest.mark.browser


def test_a_preview_shows_the_media_of_the_spec_and_all_that_is_asked_and_leaves_nothing(
    stack, label_studio, media_bucket, stack_environment, labelloop, tmp_path
):
    (content,) = sample_objects("boxes-polygons").values()
    connect(label_studio).put_object(Bucket=media_bucket, Key="previewed/a.png", Body=content)
    lines = r"\nthen the next" * 30
    spec = fill("boxes-polygons", "previewed").replace("Outline the road.", f'"Outline the road{lines}"')
    (tmp_path / "previewed.yaml").write_text(spec)
    words = ("interface", "preview", "previewed.yaml", "--out", "page.png", "--root", stack.root)
    with ThreadPoolExecutor(1) as another:  # this thread has a browser at work
        code, _, told = another.submit(labelloop, *words).result()
    assert (code, told) == (0, "page.png shows what annotators would see\n")
    picture = Image.open(tmp_path / "page.png")
    assert picture.height > 1000  # what would have to be scrolled to is there too
    drawn = picture.convert("RGB").getcolors(1 << 24)
    assert sum(n for n, colour in drawn if colour == (0, 0, 128)) > 50_000  # the navy ground of the sample
    token = label_studio.label_studio_token.get_secret_value()
    with Connection(label_studio.label_studio_url, token, 30).asking("listing projects") as sdk:
        assert "labelloop preview" not in {project.title for project in sdk.projects.list()}
