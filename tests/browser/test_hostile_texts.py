"""Texts that try to be more than text, in a real browser: nothing runs, nothing foreign loads, nobody is led away."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import yaml

from deployments.cli.templates import fill
from tasks.clients.s3 import connect
from tests.browser.answered import SORTED, ranked
from tests.browser.arrived import arrived
from tests.builders.interface_samples import NAME, PASSAGES, sample_objects

pytestmark = pytest.mark.browser

FOREIGN = "http://foreign.test"
RUNS = '"><script>document.title="run"</script><img src=x onerror="document.title=\'run\'">'
LOADS = f"<img src={FOREIGN}/a.png><link rel=stylesheet href={FOREIGN}/a.css><iframe src={FOREIGN}></iframe>"
LEADS_AWAY = f'<meta http-equiv="refresh" content="0;url={FOREIGN}/">'
ODD = "]]> &x; &lt; 'and' \\ \u202eright to left\u202c שלום"
LONG = "long " * 2000
HOSTILE = (RUNS, LOADS, LEADS_AWAY, ODD, LONG)


@pytest.fixture
def asked_for(somebody):
    """The address of everything that the browser asks for."""
    addresses = []

    def note(request):
        addresses.append(request.url)

    somebody.on("request", note)
    yield addresses
    somebody.remove_listener("request", note)


def hostile_spec(template):
    """The template with hostile texts wherever somebody writes one into a spec."""
    spec = yaml.safe_load(fill(template, NAME))
    question = spec["interface"]["questions"][0]
    spec["interface"]["notes"] = "\n".join(HOSTILE)
    spec["guidelines"]["text"] = "\n\n".join(HOSTILE)
    question["prompt"] = RUNS + LOADS + LEADS_AWAY
    question["labels"] = [{"value": text.strip(), "hint": text[:500]} for text in HOSTILE]
    return yaml.safe_dump(spec, allow_unicode=True)


def nothing_happened(page, before, asked_for):
    return (
        page.page.title() != "run"
        and page.page.url == before
        and {urlsplit(url).hostname for url in asked_for if url.startswith("http")} == {"127.0.0.1"}
    )


@pytest.mark.parametrize("template", ["image-classification", "text-classification"])
def test_class_names_are_shown_and_answered_as_written(template, opened, asked_for):
    question = "content" if template.startswith("image") else "sentiment"
    objects = {key: RUNS.encode() + LEADS_AWAY.encode() for key in sample_objects(template)}
    world, page = opened(template, hostile_spec(template), objects if template.startswith("text") else None)
    before = page.page.url
    page.shows(LEADS_AWAY)
    page.choose(LEADS_AWAY)
    if template.startswith("image"):
        page.choose("good")
    page.submit()
    assert arrived(world)[question] == [LEADS_AWAY]
    assert nothing_happened(page, before, asked_for)


def test_items_and_their_captions_are_shown_as_written(label_studio, opened, asked_for):
    (key, _), (thumbnail, picture) = *sample_objects("rag-relevance").items(), *sample_objects("rating").items()
    passages = [
        {**PASSAGES[n], "title": text, "text": text, "source": text, "image": f"s3://media/{thumbnail}"}
        for n, text in enumerate((LEADS_AWAY, RUNS + LOADS))
    ]
    record = json.dumps({"query": LEADS_AWAY + RUNS, "passages": passages}).encode()
    connect(label_studio).put_object(Bucket="media", Key=thumbnail, Body=picture)
    world, page = opened("rag-relevance", None, {key: record})
    before = page.page.url
    page.shows(RUNS)
    page.drag_into("helps", "rain")
    page.drag_into("helps", "seas")
    page.choose("no", *SORTED)
    page.submit()
    assert arrived(world)["relevance"] == ranked(helps=["rain", "seas"])
    assert nothing_happened(page, before, asked_for)
