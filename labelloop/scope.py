"""Scope: which listed objects are the media that a spec means, and which of those cannot be used.

What changed against the known references is decided in `sync.py`.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from labelloop.media_type import Kind, could_be, type_by_ending
from labelloop.spec.media import Media

UNUSABLE_KEY = "the key holds control characters or a path segment of dots; rename the object"
ZERO_BYTES = "the object has no bytes; upload it again or delete it"
TOO_SMALL = "the object is smaller than media.min_bytes; delete it or lower the limit"
TOO_LARGE = "the object is larger than media.max_bytes; shrink it or raise the limit"
NOT_THE_MEDIA = "the content is not the media its name promises; convert or delete the object"

# Label Studio's address parser drops control characters, and dot segments are resolved on the way: either would show
# another object than the one meant.
UNUSABLE = r"[\x00-\x1f\x7f]|(^|/)\.\.?(/|$)"

# One question for each pattern: a list of them would be walked anew for every object.
_SCOPED = """
SELECT key, size, etag, version_id, promised, subject, source,
       CASE WHEN regexp_matches(key, $unusable) THEN $unusable_key
            WHEN size = 0 THEN $zero_bytes
            WHEN size < $min_bytes THEN $too_small
            WHEN size > $max_bytes THEN $too_large END AS refusal
FROM listing
WHERE starts_with(key, $prefix) AND NOT (size = 0 AND ends_with(key, '/')) AND ({include}) AND NOT ({exclude})
"""


def scope_query(media: Media) -> tuple[str, dict[str, Any]]:
    """Return the query, and its parameters, for the objects of a relation `listing` that the spec means.

    Globs are matched below the prefix and `*` crosses `/`. Folder markers are left out. The query gives
    `key, size, etag, version_id, promised, subject, source, refusal`; `refusal` says why an object cannot be used.
    """
    include = {f"include{i}": glob for i, glob in enumerate(media.include) if glob != "*"}
    exclude = {f"exclude{i}": glob for i, glob in enumerate(media.exclude)}
    query = _SCOPED.format(include="true" if "*" in media.include else _any_of(include), exclude=_any_of(exclude))
    globs = exclude if "*" in media.include else {**include, **exclude}
    return query, {**_parameters(media), **globs, **({"below": len(media.prefix) + 1} if globs else {})}


def with_promised_types(listing: pa.Table, media: Media, kind: Kind) -> pa.Table:
    """Return the objects that may be media of this kind by their names, with the type each name promises.

    >>> listing = pa.table({"key": ["a.PNG", "b.txt", "c"]})
    >>> media = Media(bucket="media")
    >>> with_promised_types(listing, media, "image")["promised"].to_pylist()
    ['image/png', None]
    """
    # Millions of keys share a handful of endings; each is looked up once.
    keys = listing["key"].combine_chunks()
    ending = pc.utf8_lower(pc.extract_regex(keys, r"[^/](?P<ending>\.[^./]*)$").field("ending"))
    endings = ending.dictionary_encode(null_encoding="encode")
    types = [type_by_ending(f"x{one or ''}") for one in endings.dictionary.to_pylist()]
    promised = pa.array(types, pa.string()).take(endings.indices)
    meant = pa.array([could_be(kind, one, media.types) for one in types], pa.bool_()).take(endings.indices)
    found = listing.append_column("promised", promised)
    return found if pc.all(meant).as_py() else found.filter(meant)  # which copies every row


def _any_of(globs: dict[str, str]) -> str:
    return " OR ".join(f"key[$below:] GLOB ${name}" for name in globs) or "false"


def _parameters(media: Media) -> dict[str, Any]:
    return {
        "prefix": media.prefix,
        "min_bytes": media.min_bytes,
        "max_bytes": media.max_bytes,
        "unusable": UNUSABLE,
        "unusable_key": UNUSABLE_KEY,
        "zero_bytes": ZERO_BYTES,
        "too_small": TOO_SMALL,
        "too_large": TOO_LARGE,
    }
