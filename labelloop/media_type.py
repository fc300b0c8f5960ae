"""What kind of media an object is: by the ending of its key first, by its first bytes where they are at hand."""

from __future__ import annotations

import mimetypes
from typing import Literal

import filetype

# As many bytes as the longest signature needs.
HEAD_BYTES = 1024
# The machine's own tables differ from place to place; only Python's are used.
_ENDINGS = mimetypes.MimeTypes(filenames=())
_DRAWN_AS_TEXT = {"image/svg+xml"}


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


def could_be(media: Literal["image", "text"], promised: str | None) -> bool:
    """Return whether an object of the promised type may be media of this kind; without a promise it may.

    >>> could_be("image", "application/json"), could_be("image", None)
    (False, True)
    """
    return promised is None or (promised.startswith(f"{media}/") and promised not in _DRAWN_AS_TEXT)


def settled_type(media: Literal["image", "text"], promised: str | None, head: bytes) -> str | None:
    r"""Return the media type of an object after a look at its first bytes, or None if it is no such media.

    Content wins over the ending. Text is what has no signature and decodes as UTF-8 as far as it was read.

    >>> settled_type("image", "image/jpeg", b"\x89PNG\r\n\x1a\n")
    'image/png'
    >>> settled_type("image", "image/png", b"no image") is None
    True
    >>> settled_type("text", None, "grün".encode())
    'text/plain'
    """
    seen = type_by_content(head)
    if media == "image":
        return seen if seen and seen.startswith("image/") else None
    return (promised or "text/plain") if seen is None and _is_text(head) else None


def _is_text(head: bytes) -> bool:
    # A character cut by the end of the range is no error.
    for cut in range(4):
        try:
            head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return b"\0" not in head
    return False
