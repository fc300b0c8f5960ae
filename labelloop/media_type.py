"""What kind of media an object is: by the ending of its key first, by its first bytes where they are at hand."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, Literal

import filetype

Kind = Literal["image", "text", "audio", "video", "pdf", "time_series", "dialogue", "record"]
# Kinds that are written as text: what these types begin with, first that of an object whose ending promises nothing.
_WRITTEN: Final = {
    "text": ("text/plain", "text/"),
    "time_series": ("text/csv", "text/tab-separated-values", "text/plain"),
    "dialogue": ("application/json",),
    "record": ("application/json",),
}
# As many bytes as the longest signature of such media needs.
HEAD_BYTES = 1024
# The machine's own tables differ from place to place; only Python's are used, and what they lack.
_ENDINGS = mimetypes.MimeTypes(filenames=())
for _type, _endings in {
    "image/webp": ".webp",
    "text/markdown": ".md",
    "audio/ogg": ".ogg .oga",
    "audio/x-flac": ".flac",
    "audio/mp4": ".m4a",
    "audio/webm": ".weba",
    "video/x-m4v": ".m4v",
    "video/x-matroska": ".mkv",
    "video/ogg": ".ogv",
}.items():
    for _ending in _endings.split():
        _ENDINGS.add_type(_type, _ending)
_DRAWN_AS_TEXT = {"image/svg+xml"}
# They hold sound or pictures alike, and their first bytes do not say which: the ending does.
_CONTAINERS = {"audio/mp4", "audio/ogg", "video/3gpp", "video/mp4", "video/webm", "video/x-matroska"}


def type_by_ending(key: str) -> str | None:
    """Return the media type that the ending of the key promises, or None if it promises nothing.

    >>> type_by_ending("digits/0001/a.PNG")
    'image/png'
    >>> type_by_ending("README") is None
    True
    """
    return _ENDINGS.guess_type(key.rpartition("/")[2], strict=True)[0]


def type_by_content(head: bytes) -> str | None:
    r"""Return the media type whose signature the first bytes carry, or None (text has no signature).

    >>> type_by_content(b"\x89PNG\r\n\x1a\n")
    'image/png'
    """
    found = filetype.guess(head)
    return str(found.mime) if found else None


def could_be(media: Kind, promised: str | None, types: Sequence[str] = ()) -> bool:
    """Return whether an object of the promised type may be media of this kind; without a promise it may.

    Args:
        media: the kind wanted.
        promised: the type by ending.
        types: types that count, `image/png` or `image/*`; none: every type of the kind.

    >>> could_be("image", "application/json"), could_be("image", None), could_be("image", "image/gif", ["image/png"])
    (False, True, False)
    """
    return promised is None or (_is_a(media, promised) and _counts(promised, types))


def settled_type(media: Kind, promised: str | None, head: bytes, types: Sequence[str] = ()) -> str | None:
    r"""Return the media type of an object after a look at its first bytes, or None if it is no media that counts.

    Content wins over the ending, except where one container holds sound or pictures. Text is what has no signature
    and decodes as UTF-8 as far as it was read.

    Args:
        media: the kind wanted.
        promised: the type by ending.
        head: the first `HEAD_BYTES` bytes, fewer if the object is shorter.
        types: types that count, as in `could_be`.

    >>> settled_type("image", "image/jpeg", b"\x89PNG\r\n\x1a\n")
    'image/png'
    >>> settled_type("image", "image/png", b"no image") is None
    True
    >>> settled_type("text", None, "grün".encode()), settled_type("pdf", None, b"%PDF-1.7")
    ('text/plain', 'application/pdf')
    >>> settled_type("record", None, b'{"prompt": "2+2"}'), settled_type("time_series", "text/plain", b"")
    ('application/json', 'text/plain')
    """
    seen = type_by_content(head)
    if media in _WRITTEN:
        seen = (promised or _WRITTEN[media][0]) if seen is None and _is_text(head) else None
    elif seen in _CONTAINERS and promised and promised.startswith(("audio/", "video/")):
        seen = promised
    return seen if seen and _is_a(media, seen) and _counts(seen, types) else None


def _is_a(media: Kind, media_type: str) -> bool:
    if media == "pdf":
        return media_type == "application/pdf"
    if media in _WRITTEN:
        return media_type.startswith(_WRITTEN[media])
    return media_type.startswith(f"{media}/") and media_type not in _DRAWN_AS_TEXT


def _counts(media_type: str, types: Sequence[str]) -> bool:
    return not types or any(fnmatchcase(media_type, pattern) for pattern in types)


def _is_text(head: bytes) -> bool:
    # A character cut by the end of the range is no error.
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return b"\0" not in head
    return False
