"""Guidelines as Label Studio shows them, as HTML: only elements of ours, and the text as it was written."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.cli.templates import template_names
from labelloop.guidelines import to_html
from tests.builders.interface_samples import sample_spec

OURS = {"h3", "h4", "p", "ul", "ol", "li", "b", "i", "code"}
HOSTILE = [
    '<meta http-equiv="refresh" content="0;url=http://foreign.test/">',
    "<img src=http://foreign.test/a.png onerror=alert(1)>",
    "&lt;script&gt;1&lt;/script&gt;",
    "a < b & b > c",
    "]]> \u202eevil\u202c",
]


class Read(HTMLParser):
    """The elements of some HTML, and the text that a reader sees."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, attrs))

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("line", ["{}", "# {}", "- {}", "1. {}", "**{}**", "`{}`"])
@pytest.mark.parametrize("hostile", HOSTILE)
def test_markup_in_guidelines_is_shown_as_written(hostile, line):
    read = Read(to_html(line.format(hostile)))
    assert read.text == hostile
    assert [tag for tag, _ in read.elements if tag not in OURS] == []


@given(st.text(alphabet="a1 \n<>&\"'/=#*`-.()[]!:", max_size=60))
def test_whatever_is_written_guidelines_hold_no_element_but_ours_and_no_attribute(text):
    for tag, attributes in Read(to_html(text)).elements:
        assert tag in OURS
        assert attributes == []


ASKING_OF_EACH_MARK = [
    name for name in template_names() if any(question.per_mark for question in sample_spec(name).interface.questions)
]


@pytest.mark.parametrize("template", ASKING_OF_EACH_MARK)
def test_who_clicks_a_mark_to_answer_is_told_how_to_go_on(template):
    assert "Escape" in sample_spec(template).guidelines.text
