"""Elements of a labelling configuration: a tree and never text, so that no name or caption becomes markup."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from lxml import etree

from labelloop.errors import SpecError

Element: TypeAlias = etree._Element

# What Label Studio replaces by task data wherever a value is shown.
_REFERENCE: Final = re.compile(r"\$[\w\[\].{}]")
# Outside `value` it takes these words for flags.
_FLAGS: Final = ("true", "false")
_WORDED: Final = ("name", "title", "hint", "legend", "units")


def add(parent: Element, tag: str, *, field: str | None = None, **attributes: str | None) -> Element:
    """Return a new element below the parent; attributes that are None are left out.

    Args:
        parent: gets the element as its last.
        tag: of the element.
        field: the field of the task that the element shows or takes its value from.
        **attributes: texts as they are, spelled as Label Studio does.

    Raises:
        SpecError: a text cannot be shown as it is: it holds a control character, or `$` before a word, or is a flag.

    >>> view = etree.Element("View")
    >>> etree.tostring(add(view, "Text", name="t", field="words", title=None))
    b'<Text name="t" value="$words"/>'
    """
    given = {name: text for name, text in attributes.items() if text is not None}
    for name, text in given.items():
        _refuse_what_changes(tag, name, text)
    try:
        element = etree.SubElement(parent, tag, {name: given.pop(name) for name in ("name",) if name in given})
        element.attrib.update(({"value": f"${field}"} if field else {}) | given)
        return element
    except ValueError:
        raise SpecError(
            f"a text for <{tag}> of the interface holds a control character, which XML cannot carry",
            remedy="remove it",
        ) from None


def _refuse_what_changes(tag: str, name: str, text: str) -> None:
    if _REFERENCE.search(text):
        raise SpecError(
            f"in {text[:40]!r} Label Studio would replace what follows `$` by task data",
            remedy="write it without `$`, or with a space after it",
        )
    if name in _WORDED and text in _FLAGS:
        raise SpecError(
            f"{name} of <{tag}> is {text!r}, which Label Studio takes for a flag",
            remedy="write it with a capital letter",
        )
