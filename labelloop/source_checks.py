"""Whether a listing looks like the source the lake knows; if not, a person decides before anything changes."""

from __future__ import annotations

from typing import Final, Literal

from labelloop.errors import DecisionNeeded, InputError
from labelloop.spec.media import Media

Change = Literal["missing", "changed"]
_TOLD: Final[dict[Change, tuple[str, str]]] = {
    "missing": (
        "are missing, above {limit}; nothing was changed",
        "mend bucket, prefix, globs or rights; if they are really gone, run sync with accept_missing=true",
    ),
    "changed": (
        "hold other bytes, above {limit}; nothing was changed, since their labels would not count any more",
        "mend media.bucket; if the media was really replaced, run sync with accept_changed=true",
    ),
}


def check_not_empty(listed: int, in_scope: int, known: int, media: Media) -> None:
    """Pass if the source holds media, or held some.

    Args:
        listed: objects of the listing.
        in_scope: of them, those that the spec means.
        known: references of the source.
        media: the source.

    Raises:
        InputError: nothing is there and nothing is known: wrong prefix or empty bucket.
    """
    if in_scope or known:
        return
    what = f"none of the {listed} objects below the prefix is media of this spec" if listed else "there is no object"
    raise InputError(
        f"{what} in bucket {media.bucket!r} below prefix {media.prefix!r}",
        remedy="upload media, or mend media.bucket, media.prefix, media.include or interface.media",
    )


def check_share(change: Change, count: int, known: int, media: Media, *, accepted: bool = False) -> None:
    """Pass if no larger share of the known objects is missing, or changed, than the spec allows.

    Args:
        change: what happened to the objects.
        count: references whose object is not there any more, or has another media version.
        known: references that had an object.
        media: the source.
        accepted: a person has looked and says that it is so.

    Raises:
        DecisionNeeded: wrong prefix, lost rights, another bucket, or a real loss.

    >>> check_share("missing", 2, 10, Media(bucket="media"))
    """
    limit = getattr(media, f"{change}_share_limit")
    if count > limit * known and not accepted:
        told, remedy = _TOLD[change]
        raise DecisionNeeded(
            f"{count} of {known} known objects {told.format(limit=f'media.{change}_share_limit {limit:g}')}",
            remedy=remedy,
            known=known,
            **{change: count},
        )
