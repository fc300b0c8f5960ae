"""Whom and what an object belongs to: the data subject's id and the id its platform gave it, in clear text.

Ids are read here and kept nowhere: what is stored are keyed digests (`labelloop/identity.py`). Object keys are no ids
in this sense; they are compared exactly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from labelloop.identity import source_identifier


def subject_ids(keys: Sequence[str], pattern: str | None) -> list[str | None]:
    """Return the data subject's id that each key names, or None; `pattern` is checked by the spec.

    >>> subject_ids(["p/anna/1.png", "x"], r"p/(?P<subject>[^/]+)/")
    ['anna', None]
    """
    return ids_in_keys(keys, pattern, group="subject")


def ids_in_keys(keys: Sequence[str], pattern: str | None, *, group: str) -> list[str | None]:
    """Return what the named group of the pattern matches in each key, or None."""
    if pattern is None:
        return [None] * len(keys)
    find = re.compile(pattern)
    found = (find.search(key) for key in keys)
    return [(match[group] or None) if match else None for match in found]


def source_ids(platform: str, ids: Sequence[str | None]) -> list[str | None]:
    """Return `<platform>:<id>` for each id, the one form source ids are compared in; None where there is no id.

    >>> source_ids(" Flickr ", [" 123", None, " "])
    ['flickr:123', None, None]
    """
    return [source_identifier(platform, one) if one and one.strip() else None for one in ids]
