"""What the text of a labelling configuration says beside its elements: what it declares, and where each begins."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final
from xml.parsers import expat

from labelloop.interface.finding import Finding

# Nothing but comments and instructions may come before it, and what they hold is none.
_DOCUMENT_TYPE: Final = re.compile(r"\ufeff?(?>\s+|<\?.*?\?>|<!--.*?-->)*<!DOCTYPE", re.DOTALL | re.IGNORECASE)


def declarations(xml: str) -> tuple[list[Finding], list[int]]:
    """Return what is declared and may not be, and the line where each element begins, in their order.

    An encoding may not: Label Studio keeps configurations as text, and its server fails at one that names any.
    Of what is no well-formed XML, only the elements before the fault are told.

    >>> declarations('<View>' + chr(10) + '<Image' + chr(10) + 'name="i"/></View>')
    ([], [1, 2])
    """
    if typed := _DOCUMENT_TYPE.match(xml):
        line = xml.count("\n", 0, typed.end()) + 1
        return [Finding(line, "!DOCTYPE", "document types and entities are refused", "remove the declaration")], []
    reader, found, lines = expat.ParserCreate(), list[Finding](), list[int]()

    def declared(_version: str, encoding: str | None, _standalone: int) -> None:
        if encoding:
            found.append(Finding(1, "?xml", "it names an encoding, at which Label Studio fails", "leave it out"))

    reader.XmlDeclHandler = declared
    reader.StartElementHandler = lambda *_: lines.append(reader.CurrentLineNumber)
    with suppress(expat.ExpatError, UnicodeEncodeError):  # the reader of elements tells more of what is wrong
        reader.Parse(xml, True)
    return found, lines
