"""What a task shows of other people's texts and addresses: checked, and never as markup of theirs.

The only element made here is `<img>`, around an address inside the bucket and prefix of the spec.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from labelloop.errors import InputError
from labelloop.scope import UNUSABLE, UNUSABLE_KEY
from labelloop.spec import ProjectSpec

_LONGEST: Final = 100_000  # characters of one text
_LARGEST: Final = 1e9  # score, beyond which nothing is told by its digits
_THUMBNAIL: Final = "max-height: 12em; max-width: 100%"
# Label Studio cuts a key there, or loses what stands there.
_UNADDRESSABLE: Final = re.compile(r"^/|\s$|\?")
# Within HTML it finds no address with one of these.
_UNQUOTABLE: Final = re.compile(r"[\"'<>&=\x01]")
# It would put a link in the place of such a text.
_RESOLVED: Final = re.compile(r"(^\s*|[\"'])s3://")
# A database refuses a whole import for one of these.
_UNSTORABLE: Final = re.compile(r"[\0\ud800-\udfff]")


def shown_items(spec: ProjectSpec, items: Sequence[Mapping[str, Any]], *, blind: bool) -> list[dict[str, str]]:
    """Return items as a List takes them, those with the highest score first.

    Score and source stand beside the title, as text; a picture is a thumbnail.

    Args:
        spec: the project.
        items: each with any of `id, title, text, image, score, source`; without an id, its place is its id.
        blind: leave score, source and their order out.

    Raises:
        InputError: an item cannot be shown; the message is the reason.
    """
    ids = [shown_text(item.get("id", place)) for place, item in enumerate(items)]
    if len(set(ids)) != len(ids):
        raise InputError("two items have one id", remedy="give each item an id of its own")
    order = range(len(items)) if blind else sorted(range(len(items)), key=lambda n: -(_score(items[n]) or 0.0))
    return [{"id": ids[n], **_item(spec, items[n], n, blind)} for n in order]


def _item(spec: ProjectSpec, item: Mapping[str, Any], place: int, blind: bool) -> dict[str, str]:
    score, source = (None, None) if blind else (_score(item), item.get("source"))
    parts = [shown_text(item.get("title") or f"Item {place + 1}")]
    parts += [f"score {score:.2f}"] if score is not None else []
    parts += [shown_text(source)] if source else []
    shown = {"title": " · ".join(parts)}
    if item.get("text"):
        shown["body"] = shown_text(item["text"])
    if item.get("image"):
        shown["html"] = _thumbnail(shown_address(spec, item["image"]), shown["title"])
    return shown


def _thumbnail(address: str, title: str) -> str:
    if _UNQUOTABLE.search(address):
        raise InputError(
            "Label Studio finds no address within HTML that holds a quote, =, & or an angle bracket",
            remedy="rename the object, or show it alone",
        )
    # The address first and an attribute after it: that is how Label Studio tells where it ends.
    return f'<img src="{address}" title="{html.escape(title)}" style="{_THUMBNAIL}">'


def _score(item: Mapping[str, Any]) -> float | None:
    score = item.get("score")
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not -_LARGEST < score < _LARGEST:
        raise InputError(f"the score of an item is {str(score)[:20]!r}", remedy="give a number, or none")
    return float(score)


def shown_text(value: Any) -> str:
    """Return a value as the text that is shown of it; what is no text, as JSON.

    Raises:
        InputError: it is too long, cannot be stored, or Label Studio would show something else.

    >>> shown_text(7)
    '7'
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(text) > _LONGEST:
        raise InputError(f"a text has {len(text)} characters, above {_LONGEST}", remedy="shorten it")
    if _UNSTORABLE.search(text):
        raise InputError("a text holds a character that no database takes", remedy="remove NUL and lone surrogates")
    if _RESOLVED.search(text):
        raise InputError("a text holds an s3:// address, which Label Studio would resolve", remedy="leave it out")
    return text


def shown_address(spec: ProjectSpec, address: Any) -> str:
    """Return the address, if Label Studio can show what lies there and the spec means it.

    Raises:
        InputError: it lies outside the bucket and prefix, or Label Studio would look elsewhere.
    """
    home = f"s3://{spec.media.bucket}/"
    key = str(address).removeprefix(home)
    if not str(address).startswith(home) or not key.startswith(spec.media.prefix):
        raise InputError(
            "its medium lies outside the bucket and prefix of the spec", remedy="mend the spec, or sync again"
        )
    if re.search(UNUSABLE, key):
        raise InputError(UNUSABLE_KEY)
    if _UNADDRESSABLE.search(key):
        raise InputError(
            "Label Studio cannot address a key with a leading slash, a question mark or a blank at its end",
            remedy="rename the object",
        )
    return str(address)
