"""Guidelines: their version, and the little HTML that Label Studio can show of their Markdown.

Everything an author writes is escaped; only the few elements made here are markup.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Iterator

_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<b>\1</b>"),
    (re.compile(r"\*([^*\s][^*]*)\*"), r"<i>\1</i>"),
)
_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_ITEM = re.compile(r"[-*]\s+(.*)")
_NUMBERED = re.compile(r"\d+[.)]\s+(.*)")


def version(text: str) -> str:
    """Return the version of a guideline text: 16 hexadecimal digits of its digest.

    >>> version("Choose.") == version("Choose. ")
    False
    """
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def to_html(text: str) -> str:
    r"""Return the text as HTML: headings, paragraphs, lists, bold, italics and code; the rest stays as written.

    >>> to_html("# Digits\n\nA **seven** may have a bar.\n- a < b")
    '<h3>Digits</h3><p>A <b>seven</b> may have a bar.</p><ul><li>a &lt; b</li></ul>'
    """
    return "".join(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[str]:
    paragraph: list[str] = []
    listed: list[str] = []
    kind = ""
    for line in [*(line.strip() for line in lines), ""]:
        found, item = _item(line)
        if listed and found != kind:
            yield f"<{kind}>" + "".join(f"<li>{text}</li>" for text in listed) + f"</{kind}>"
            listed = []
        heading = _HEADING.fullmatch(line)
        if paragraph and (not line or found or heading):
            yield f"<p>{' '.join(paragraph)}</p>"
            paragraph = []
        if found:
            kind = found
            listed.append(item)
        elif heading:
            # Label Studio gives every line 22 pixels: a larger heading runs into the text below it.
            level = min(len(heading.group(1)) + 2, 4)
            yield f"<h{level}>{_inline(heading.group(2))}</h{level}>"
        elif line:
            paragraph.append(_inline(line))


def _item(line: str) -> tuple[str, str]:
    for kind, pattern in (("ul", _ITEM), ("ol", _NUMBERED)):
        found = pattern.fullmatch(line)
        if found:
            return kind, _inline(found.group(1))
    return "", ""


def _inline(text: str) -> str:
    escaped = html.escape(text, quote=False)
    for pattern, replacement in _INLINE:
        escaped = pattern.sub(replacement, escaped)
    return escaped
